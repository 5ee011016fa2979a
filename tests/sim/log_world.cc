#include "log_world.h"

#include <fmt/format.h>

#include <algorithm>

#include "host/disk.h"
#include "host/loop.h"
#include "log/producer_snapshot.h"
#include "sim/disk.h"
#include "sim/world.h"

namespace moldau::logsim {

using host::Task;

sim::DiskImage& LogWorld::image() const { return node.disk().image(); }

bool LogWorld::lost_cache(const Subject& subject) const {
  return subject.config.flush == log::Flush::async &&
         (subject.sync_failed || node.disk().power_losses() != subject.power_losses);
}

void LogWorld::check_disk() const {
  if (damage) return;
  if (running) running->observe();
  for (const Directory& directory : directories) {
    log::OffsetCheckpoint points =
        recovery_points(image(), directory.path, Layer::durable, findings);
    for (const auto& subject : subjects) {
      if (subject->directory != directory.path) continue;
      LogFiles look = files(*subject);
      look.check_batches(Layer::durable, subject->model.durable());
      auto point = points.find(subject->name);
      if (point == points.end()) continue;
      if (point->second > subject->model.recovery_limit())
        subject->model.report("checkpoint_ahead",
                              fmt::format("the recovery point is {}, durable is {}", point->second,
                                          subject->model.recovery_limit()));
      look.check_derived(Layer::durable, point->second);
    }
  }
}

// The log's listener: what it says is a promise.
class LogProcess::Ear final : public log::LogListener {
 public:
  Ear(LogWorld& world, Open& open) : world_(world), open_(open) {}
  void on_committed(Offset below) override {
    bool durable = open_.subject.config.flush == log::Flush::ack;
    open_.subject.model.committed(below, durable);
    if (durable && !world_.damage && heard_++ % 8 == 0)
      world_.files(open_.subject).check_batches(Layer::durable, below);
  }
  void on_failed() override {
    bool offline = open_.log->offline();
    if (offline) open_.subject.sync_failed = true;
    if (offline && open_.log->offsets().end == open_.subject.model.end()) return;
    open_.subject.model.taken_back(open_.log->offsets().end);
    open_.subject.model.observe(open_.log->offsets());
    if (!offline && !world_.damage) world_.files(open_.subject).check_exact();
  }

 private:
  LogWorld& world_;
  Open& open_;
  uint64_t heard_ = 0;
};

LogProcess::LogProcess(host::Env& env, LogWorld& world)
    : env_(env), world_(world), healed_(world.healed) {
  world.running = this;
}

LogProcess::~LogProcess() {
  observe();
  world_.running = nullptr;
}

void LogProcess::observe() const {
  for (const auto& open : logs_) open->subject.model.observe(open->log->offsets());
}

Directory& LogProcess::directory_of(const log::LogDir& dir) const {
  return *std::ranges::find(world_.directories, dir.path(), &Directory::path);
}

// While nothing flips bits, a log may fail with what the disk said, and with nothing else.
void LogProcess::judge_error(const Subject& subject, const Error& error, const char* doing) const {
  Errc code = error.code();
  bool disk = code == Errc::io || code == Errc::no_space || code == Errc::exhausted ||
              code == Errc::offline;
  bool damage = world_.damage && code != Errc::cancelled;
  if (damage) world_.refusals++;
  if ((disk && !healed_) || damage) return;
  world_.findings.add("refused",
                      fmt::format("{}: {}: {}", subject.path(), doing, error.to_string()));
}

// ---- open and close

Task<bool> LogProcess::open() {
  for (Directory& directory : world_.directories) co_await open_directory(directory);
  co_return !logs_.empty();
}

Task<void> LogProcess::open_directory(Directory& directory) {
  Stop before = directory.stop;
  if (directory.stop == Stop::clean) directory.stop = Stop::unknown;
  auto opened = co_await log::LogDir::open(env_, directory.path, world_.dir_config);
  if (!opened) {
    for (const auto& subject : world_.subjects)
      if (subject->directory == directory.path)
        judge_error(*subject, opened.error(), "opening its directory");
    co_return;
  }
  directory.stop = Stop::unclean;
  log::LogDir& dir = **opened;
  dirs_.push_back(std::move(*opened));
  bool clean = dir.was_clean();
  if (clean && before == Stop::unclean && !world_.damage)
    world_.findings.add("marker_lies", directory.path + " says that it was stopped in order");
  if (!clean && before == Stop::clean && !world_.damage)
    world_.findings.add("marker_lost",
                        directory.path + " was stopped in order and does not say so");
  for (const auto& subject : world_.subjects) {
    Subject& next = *subject;
    if (next.directory == directory.path) co_await open_log(dir, next, clean);
  }
}

Task<void> LogProcess::open_log(log::LogDir& dir, Subject& subject, bool clean) {
  auto opened = co_await log::Log::open(env_, dir, subject.name, subject.config);
  if (!opened) {
    judge_error(subject, opened.error(), "opening");
    subject.sync_failed = true;  // maybe, by the recovery
    co_return;
  }
  log::Log& log = **opened;
  world_.node.world().tell("{} has {} to {}, {} bytes cut {}", subject.path(), log.offsets().start,
                           log.offsets().end, log.bytes_cut(), log.cut_because());
  bool lost_cache = world_.lost_cache(subject);
  subject.power_losses = world_.node.disk().power_losses();
  subject.sync_failed = false;
  LogFiles files = world_.files(subject);
  LogModel& model = subject.model;
  // A base offset with a wrong bit: nothing covers it, and the last batch of a log has none behind
  // it that would contradict. From here on nobody knows what is right.
  Offset end = log.offsets().end;
  const ModelBatch* across = model.batch_with(end);
  bool fits = end <= model.end() && (!across || across->base == end);
  if (world_.damage && !fits) subject.misled = true;
  if (subject.misled) {
    world_.refusals++;
    co_return;
  }
  if (world_.damage) {
    model.recovered({.offsets = log.offsets()}, Offset(0));
  } else {
    if (lost_cache) model.keep_only(files.bases());
    std::vector<uint8_t> snapshot = log.producer_snapshot();
    LogModel::Found found{.offsets = log.offsets(),
                          .clean = clean,
                          .empty = files.bases().empty(),
                          .producers = log::decode_producer_snapshot(snapshot).value()};
    model.recovered(found, lost_cache ? model.durable() : model.promised());
    if (clean && log.segments_read() > 0)
      model.report("clean_scan", fmt::format("{} segments were looked through after a clean stop",
                                             log.segments_read()));
    files.check_exact();
    files.check_batches(Layer::durable, model.end());
  }
  logs_.push_back(std::make_unique<Open>(subject, dir, std::move(*opened)));
  Open& open = *logs_.back();
  ears_.push_back(std::make_unique<Ear>(world_, open));
  log.set_listener(ears_.back().get());
  check_epochs(open);
  check_producers(open);
  co_await read_all(open);
}

Task<void> LogProcess::close() {
  for (auto& open : logs_) {
    log::Log& log = *open->log;
    Subject& subject = open->subject;
    Result<void> closed = co_await log.close(env_);
    if (!closed && !log.offline()) judge_error(subject, closed.error(), "closing");
    if (!closed) subject.sync_failed = true;  // maybe: nobody listens any more
    subject.model.observe(log.offsets());
    if (closed && !world_.damage) check_closed(subject);
  }
  logs_.clear();
  ears_.clear();
  for (auto& dir : dirs_) {
    log::LogDir& closing = *dir;
    co_await close_directory(closing);
  }
  dirs_.clear();
}

void LogProcess::check_closed(Subject& subject) const {
  LogFiles files = world_.files(subject);
  files.check_exact();
  files.check_batches(Layer::durable, subject.model.end());
  files.check_derived(Layer::visible, subject.model.end());
}

Task<void> LogProcess::close_directory(log::LogDir& dir) {
  Directory& directory = directory_of(dir);
  directory.stop = Stop::unknown;
  Result<void> closed = co_await dir.close(7);
  if (closed) directory.stop = Stop::clean;
  if (!closed && closed.error().code() == Errc::offline) directory.stop = Stop::unclean;
}

bool LogProcess::complete() const {
  return logs_.size() == world_.subjects.size() &&
         std::ranges::none_of(logs_, [](const auto& open) { return open->log->offline(); });
}

bool LogProcess::all_offline() const {
  return std::ranges::all_of(logs_, [](const auto& open) { return open->log->offline(); });
}

// ---- use

Task<void> LogProcess::read(Open& open, log::ReadRequest request) {
  log::Log& log = *open.log;
  uint64_t losses = open.subject.model.losses();
  uint64_t since = open.subject.model.step();
  log::Offsets before = log.offsets();
  Offset from = request.from;
  Offset limit = request.limit;
  bool must = request.at_least_one;
  uint64_t flips = world_.node.disk().flips();
  auto result = co_await log.read(env_, request);
  if (!result) {
    bool outside = from < log.offsets().start || from < before.start || from > log.offsets().end ||
                   from > before.end;
    if (result.error().code() == Errc::out_of_range && outside) co_return;
    if (open.cutting || losses != open.subject.model.losses())
      co_return;  // the file was cut under the reader
    if (!log.offline()) judge_error(open.subject, result.error(), "reading");
    co_return;
  }
  std::vector<uint8_t> bytes;
  for (const log::ReadPiece& piece : result->pieces) {
    size_t at = bytes.size();
    bytes.resize(at + piece.length);
    MutableBytes into(bytes.data() + at, piece.length);
    if (!piece.file) {
      std::ranges::copy(piece.bytes.bytes(), into.begin());
      continue;
    }
    auto count = co_await piece.file->read_at(into, piece.position);
    if (!count || open.cutting || losses != open.subject.model.losses()) co_return;
    if (*count != piece.length)
      open.subject.model.report("short_read",
                                fmt::format("{} bytes of {} at {}", *count, piece.length, from));
  }
  // What is above the high watermark may be cut while it is read: replicas know that by its epoch.
  if (open.cutting || losses != open.subject.model.losses()) co_return;
  if (bytes.empty() && !must) co_return;
  bool checked = flips == world_.node.disk().flips();
  open.subject.model.served(bytes, from, limit, since, checked);
}

Task<void> LogProcess::read_all(Open& open) {
  LogModel& model = open.subject.model;
  std::vector<Offset> bases;
  for (const auto& [base, batch] : model.batches()) bases.push_back(base);
  for (size_t i = 0; i < bases.size(); i += 1 + bases.size() / 8) {
    log::ReadRequest request{
        .from = bases[i], .max_bytes = size_t{1} << 20, .limit = Offset(INT64_MAX)};
    co_await read(open, request);
  }
  int64_t newest = model.batches().empty() ? -1 : model.batches().rbegin()->second.max_timestamp;
  if (newest >= 0) co_await find(open, newest);
  co_await find_largest(open);
  log::Offsets offsets = open.log->offsets();
  co_await check_aborted(open, offsets.start, offsets.end);
}

Task<void> LogProcess::find(Open& open, int64_t timestamp) {
  log::Log& log = *open.log;
  LogModel& model = open.subject.model;
  auto due = model.first_since(timestamp, log.offsets().written);
  uint64_t losses = model.losses();
  Offset start = model.front().start();
  WallTime wanted{timestamp};
  auto found = co_await log.find_timestamp(env_, wanted);
  bool moved = losses != model.losses() || start != log.offsets().start;
  if (!found) {
    if (!log.offline() && !moved)
      judge_error(open.subject, found.error(), "looking for a timestamp");
    co_return;
  }
  if (!due && *found && !moved) due = model.first_since(timestamp, log.offsets().written);
  if (*found == due || moved || world_.damage) co_return;
  model.report("timestamp_wrong",
               fmt::format("{}: found {}, not {}", timestamp, *found ? (*found)->offset.value : -1,
                           due ? due->offset.value : -1));
}

Task<void> LogProcess::find_largest(Open& open) {
  log::Log& log = *open.log;
  LogModel& model = open.subject.model;
  Offset before = log.offsets().written;
  uint64_t losses = model.losses();
  auto found = co_await log.max_timestamp(env_);
  if (!found) {
    bool steady = losses == model.losses();
    if (!log.offline() && steady)
      judge_error(open.subject, found.error(), "looking for the last timestamp");
    co_return;
  }
  // Records that were deleted count as long as their segment is there, and not longer.
  if (model.front().most() > Offset(0)) co_return;
  bool same = *found == model.largest(before);
  if (same || losses != model.losses() || world_.damage) co_return;
  for (const auto& [base, batch] : model.batches())
    if (batch.last >= before && *found == model.largest(batch.last + 1)) co_return;
  model.report("timestamp_wrong",
               fmt::format("largest: found {} and not {}", *found ? (*found)->offset.value : -1,
                           model.largest(before) ? model.largest(before)->offset.value : -1));
}

// The leader epoch of a batch is in no checksum of Kafka's format: while bits flip, recovery may
// read another one.
void LogProcess::check_epochs(Open& open) {
  if (world_.damage) return;
  LogModel& model = open.subject.model;
  if (model.front().most() >= model.end()) return;
  log::Epochs due;
  for (const log::EpochEntry& entry : model.epochs()) due.assign(entry.epoch, entry.start);
  // Of epochs before the log's start it may know more than it has to.
  int32_t first = due.entries().empty() ? -1 : due.entries().front().epoch.value;
  for (int32_t epoch = first; epoch <= open.subject.epoch.value + 1; epoch++) {
    auto said = open.log->epoch_end(LeaderEpoch(epoch));
    auto expected = due.end_of(LeaderEpoch(epoch), model.end());
    // An epoch that began before the start may count as one without records.
    bool same_end = said && expected && said->end == expected->end;
    if (same_end && said->epoch != expected->epoch && model.front().most() > Offset(0)) continue;
    if (said == expected || (expected && expected->end <= model.front().most())) continue;
    return model.report("epoch_wrong", fmt::format("epoch {} ends at {}, not at {}", epoch,
                                                   said ? said->end.value : -1,
                                                   expected ? expected->end.value : -1));
  }
}

}  // namespace moldau::logsim
