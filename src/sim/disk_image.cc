#include "sim/disk_image.h"

#include <algorithm>
#include <set>

#include "base/check.h"

namespace moldau::sim {

DiskImage::DiskImage(const DiskOptions& options) : options_(options), root_(make_inode(true)) {
  inodes_.at(root_)->references = 1;
}

InodeId DiskImage::make_inode(bool directory) {
  InodeId id = next_inode_++;
  inodes_[id] = std::make_unique<Inode>();
  inodes_[id]->directory = directory;
  return id;
}

void DiskImage::unreference(InodeId id) {
  if (id == 0) return;
  auto found = inodes_.find(id);
  CHECK(found != inodes_.end() && found->second->references > 0, "inode {} is not held", id);
  if (--found->second->references > 0) return;
  std::unique_ptr<Inode> inode = std::move(found->second);
  inodes_.erase(found);
  for (auto& [name, target] : inode->entries) unreference(target);
  for (auto& [name, target] : inode->durable_entries) unreference(target);
}

// ---- names

Result<DiskImage::Place> DiskImage::locate(std::string_view path) const {
  Place place{0, {}, root_};
  while (!path.empty()) {
    size_t slash = path.find('/');
    std::string_view name = path.substr(0, slash);
    path = slash == std::string_view::npos ? std::string_view{} : path.substr(slash + 1);
    if (name.empty() || name == ".") continue;
    if (place.target == 0) return fail(Errc::not_found, "No such file or directory");
    const Inode& directory = *inodes_.at(place.target);
    if (!directory.directory) return fail(Errc::invalid, "Not a directory");
    auto found = directory.entries.find(name);
    place = {place.target, name, found == directory.entries.end() ? 0 : found->second};
  }
  return place;
}

Result<InodeId> DiskImage::find(std::string_view path) const {
  TRY(place, locate(path));
  if (place.target == 0) return fail(Errc::not_found, "No such file or directory");
  return place.target;
}

void DiskImage::set(Entries& entries, const std::string& name, InodeId target) {
  auto found = entries.find(name);
  InodeId before = found == entries.end() ? 0 : found->second;
  if (target) inodes_.at(target)->references++;
  if (target)
    entries[name] = target;
  else if (before)
    entries.erase(found);
  unreference(before);
}

// What the system sees at once, and what a sync of the directory will make durable.
void DiskImage::record(std::vector<Change> changes) {
  for (Change& change : changes)
    if (change.target) inodes_.at(change.target)->references++;
  for (Change& change : changes)
    set(inodes_.at(change.directory)->entries, change.name, change.target);
  for (Change& change : changes) inodes_.at(change.directory)->references++;
  name_operations_.push_back({std::move(changes)});
}

void DiskImage::apply_durable(Change& change) {
  if (std::exchange(change.done, true)) return;
  set(inodes_.at(change.directory)->durable_entries, change.name, change.target);
}

void DiskImage::forget_done() {
  std::vector<NameOperation> still;
  std::vector<NameOperation> all = std::move(name_operations_);
  for (NameOperation& operation : all) {
    bool done = std::all_of(operation.changes.begin(), operation.changes.end(),
                            [](const Change& c) { return c.done; });
    if (!done) {
      still.push_back(std::move(operation));
      continue;
    }
    for (Change& change : operation.changes) {
      unreference(change.target);
      unreference(change.directory);
    }
  }
  name_operations_ = std::move(still);
}

Result<InodeId> DiskImage::open(std::string_view path, host::OpenMode mode) {
  TRY(place, locate(path));
  bool make = mode == host::OpenMode::create || mode == host::OpenMode::create_new;
  if (place.target && mode == host::OpenMode::create_new)
    return fail(Errc::already_exists, "File exists");
  if (place.target) {
    if (inodes_.at(place.target)->directory) return fail(Errc::invalid, "Is a directory");
    return place.target;
  }
  if (!make) return fail(Errc::not_found, "No such file or directory");
  InodeId id = make_inode(false);
  record({{place.directory, std::string(place.name), id}});
  return id;
}

Result<void> DiskImage::rename(std::string_view from, std::string_view to) {
  TRY(source, locate(from));
  TRY(target, locate(to));
  if (source.target == 0) return fail(Errc::not_found, "No such file or directory");
  if (source.directory == 0 || target.directory == 0)
    return fail(Errc::invalid, "Invalid argument");
  if (source.target == target.target) return {};
  if (target.target) {
    const Inode& replaced = *inodes_.at(target.target);
    const Inode& moved = *inodes_.at(source.target);
    if (replaced.directory != moved.directory)
      return fail(Errc::invalid, replaced.directory ? "Is a directory" : "Not a directory");
    if (!replaced.entries.empty()) return fail(Errc::invalid, "Directory not empty");
  }
  record({{target.directory, std::string(target.name), source.target},
          {source.directory, std::string(source.name), 0}});
  return {};
}

Result<void> DiskImage::remove(std::string_view path) {
  TRY(place, locate(path));
  if (place.target == 0) return fail(Errc::not_found, "No such file or directory");
  if (place.directory == 0 || !inodes_.at(place.target)->entries.empty())
    return fail(Errc::invalid, "Directory not empty");
  record({{place.directory, std::string(place.name), 0}});
  return {};
}

Result<void> DiskImage::make_directory(std::string_view path) {
  for (size_t end = 0; end != std::string_view::npos;) {
    end = path.find('/', end + 1);
    TRY(place, locate(path.substr(0, end)));
    if (place.target == 0)
      record({{place.directory, std::string(place.name), make_inode(true)}});
    else if (!inodes_.at(place.target)->directory)
      return fail(Errc::already_exists, "File exists");
  }
  return {};
}

Result<std::vector<host::DirEntry>> DiskImage::list(std::string_view path) const {
  TRY(id, find(path));
  const Inode& directory = *inodes_.at(id);
  if (!directory.directory) return fail(Errc::invalid, "Not a directory");
  std::vector<host::DirEntry> found;
  for (auto& [name, target] : directory.entries) {
    const Inode& inode = *inodes_.at(target);
    found.push_back({name, inode.directory, inode.now.size()});
  }
  return found;
}

Result<void> DiskImage::sync_directory(std::string_view path) {
  TRY(id, find(path));
  if (!inodes_.at(id)->directory) return fail(Errc::invalid, "Not a directory");
  for (NameOperation& operation : name_operations_)
    for (Change& change : operation.changes)
      if (change.directory == id || options_.ext4_like) apply_durable(change);
  forget_done();
  return {};
}

// ---- contents

size_t DiskImage::read(InodeId id, int64_t position, MutableBytes out) const {
  const Inode& inode = *inodes_.at(id);
  size_t n = inode.now.read(position, out);
  if (!damage_shown_) return n;
  for (const Flip& flip : inode.flips)
    if (flip.position >= position && flip.position < position + static_cast<int64_t>(n))
      out[static_cast<size_t>(flip.position - position)] ^= flip.mask;
  return n;
}

void DiskImage::write(InodeId id, int64_t position, Bytes bytes) {
  Inode& inode = *inodes_.at(id);
  inode.now.write(position, bytes);
  int64_t end = position + static_cast<int64_t>(bytes.size());
  std::erase_if(inode.flips,
                [&](const Flip& f) { return f.position >= position && f.position < end; });
  inode.pending.push_back({next_operation_++, false, position, {bytes.begin(), bytes.end()}});
}

void DiskImage::truncate(InodeId id, int64_t size) {
  Inode& inode = *inodes_.at(id);
  inode.now.resize(size);
  std::erase_if(inode.flips, [&](const Flip& f) { return f.position >= size; });
  inode.pending.push_back({next_operation_++, true, size, {}});
}

void DiskImage::confirm(Inode& inode, const Operation& operation) {
  if (operation.truncate)
    inode.durable.resize(operation.position);
  else
    inode.durable.write(operation.position, operation.bytes);
}

void DiskImage::sync(InodeId id, uint64_t mark) {
  Inode& inode = *inodes_.at(id);
  auto end = inode.pending.begin();
  for (; end != inode.pending.end() && end->number < mark; ++end) confirm(inode, *end);
  inode.pending.erase(inode.pending.begin(), end);
  if (!options_.ext4_like) return;
  for (NameOperation& operation : name_operations_)
    for (Change& change : operation.changes) apply_durable(change);
  forget_done();
}

void DiskImage::sync_failed(InodeId id, uint64_t mark, Random& random) {
  Inode& inode = *inodes_.at(id);
  auto end = inode.pending.begin();
  for (; end != inode.pending.end() && end->number < mark; ++end)
    if (random.one_in(2)) confirm(inode, *end);
  inode.ahead = true;
  inode.pending.erase(inode.pending.begin(), end);
}

bool DiskImage::flip_bit(Random& random, std::string_view path_part) {
  std::vector<InodeId> files;
  std::vector<std::pair<InodeId, std::string>> open_directories{{root_, ""}};
  while (!open_directories.empty()) {
    auto [id, path] = open_directories.back();
    open_directories.pop_back();
    for (auto& [name, target] : inodes_.at(id)->entries) {
      std::string full = path + "/" + name;
      const Inode& inode = *inodes_.at(target);
      if (inode.directory)
        open_directories.emplace_back(target, full);
      else if (inode.now.size() > 0 && full.find(path_part) != std::string::npos)
        files.push_back(target);
    }
  }
  if (files.empty()) return false;
  Inode& inode = *inodes_.at(files[static_cast<size_t>(random.below(files.size()))]);
  auto position = static_cast<int64_t>(random.below(static_cast<uint64_t>(inode.now.size())));
  auto mask = static_cast<uint8_t>(1u << random.below(8));
  inode.flips.push_back({position, mask});
  flips_++;
  return true;
}

Result<std::vector<uint8_t>> DiskImage::whole(std::string_view path, bool durable) const {
  InodeId id = root_;
  while (!path.empty()) {
    size_t slash = path.find('/');
    std::string_view name = path.substr(0, slash);
    path = slash == std::string_view::npos ? std::string_view{} : path.substr(slash + 1);
    if (name.empty()) continue;
    const Entries& names = layer(*inodes_.at(id), durable);
    auto found = names.find(name);
    if (found == names.end()) return fail(Errc::not_found, "No such file or directory");
    id = found->second;
  }
  const Inode& inode = *inodes_.at(id);
  const Content& content = durable ? inode.durable : inode.now;
  std::vector<uint8_t> bytes(static_cast<size_t>(content.size()));
  content.read(0, bytes);
  return bytes;
}

const DiskImage::Entries& DiskImage::layer(const Inode& inode, bool durable) {
  return durable ? inode.durable_entries : inode.entries;
}
Result<std::vector<uint8_t>> DiskImage::contents(std::string_view path) const {
  return whole(path, false);
}
Result<std::vector<uint8_t>> DiskImage::durable_contents(std::string_view path) const {
  return whole(path, true);
}

int64_t DiskImage::used() const {
  int64_t sum = 0;
  for (auto& [id, inode] : inodes_) sum += inode->now.size();
  return sum;
}

// ---- power loss

// Each sector of the write is the old one or the new one (or, if the disk is such, neither).
void DiskImage::tear(Inode& inode, const Operation& operation, Random& random) {
  int64_t end = operation.position + static_cast<int64_t>(operation.bytes.size());
  for (int64_t at = operation.position; at < end;) {
    int64_t next = std::min(end, (at / options_.sector + 1) * options_.sector);
    size_t from = static_cast<size_t>(at - operation.position);
    Bytes bytes = Bytes(operation.bytes).subspan(from, static_cast<size_t>(next - at));
    uint64_t fate = random.below(options_.garbage ? 5 : 4);
    if (fate == 4) {
      std::vector<uint8_t> noise(bytes.size());
      for (uint8_t& byte : noise) byte = static_cast<uint8_t>(random.next());
      inode.durable.write(at, noise);
    } else if (fate >= 2) {
      inode.durable.write(at, bytes);
    }
    at = next;
  }
  // Size and content are different things to a file system.
  if (end > inode.durable.size() && random.one_in(2)) inode.durable.resize(end);
}

void DiskImage::lose_contents(Inode& inode, Random& random) {
  // Often all or nothing; that is what simple tests try, and it must work too.
  uint64_t mood = random.below(4);
  for (const Operation& operation : inode.pending) {
    uint64_t fate = mood == 0 ? 0 : mood == 1 ? 1 : random.below(3);
    if (fate == 1) confirm(inode, operation);
    if (fate == 2 && !operation.truncate) tear(inode, operation, random);
  }
  inode.pending.clear();
  inode.ahead = false;
  inode.now = Content();
  std::vector<uint8_t> copy(64 * 1024);
  for (int64_t at = 0; at < inode.durable.size();) {
    size_t n = inode.durable.read(at, copy);
    inode.now.write(at, Bytes(copy).first(n));
    at += static_cast<int64_t>(n);
  }
}

void DiskImage::lose_names(Random& random) {
  // A journal keeps one order; without, each directory keeps its own: everything up to some point.
  bool one_order = options_.ext4_like || random.one_in(2);
  uint64_t length = 1 + random.below(8);  // of what survives, about
  std::set<InodeId> stopped;
  for (NameOperation& operation : name_operations_) {
    bool keep = !random.one_in(length + 1);
    for (const Change& change : operation.changes)
      if (stopped.contains(one_order ? 0 : change.directory)) keep = false;
    for (Change& change : operation.changes) {
      if (keep)
        apply_durable(change);
      else
        stopped.insert(one_order ? 0 : change.directory);
      change.done = true;
    }
  }
  forget_done();
  std::vector<InodeId> directories;
  for (auto& [id, inode] : inodes_)
    if (inode->directory) directories.push_back(id);
  for (InodeId id : directories) {
    auto found = inodes_.find(id);
    if (found == inodes_.end()) continue;
    Entries before = std::move(found->second->entries);
    found->second->entries = found->second->durable_entries;
    for (auto& [name, target] : found->second->entries) inodes_.at(target)->references++;
    for (auto& [name, target] : before) unreference(target);
  }
}

void DiskImage::drop_cache(InodeId id) {
  Inode& inode = *inodes_.at(id);
  if (!inode.pending.empty() || !inode.ahead) return;
  inode.now.copy_from(inode.durable);
  inode.ahead = false;
}

void DiskImage::power_loss(Random& random) {
  for (auto& [id, inode] : inodes_)
    if (!inode->pending.empty() || inode->ahead) lose_contents(*inode, random);
  lose_names(random);
}

}  // namespace moldau::sim
