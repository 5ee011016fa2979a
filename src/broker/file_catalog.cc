#include "broker/file_catalog.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "broker/topic_config.h"
#include "host/entropy.h"
#include "host/env.h"
#include "host/event.h"
#include "host/whole_file.h"

namespace moldau::broker {

using host::Task;

namespace {

constexpr int64_t kIdBlock =
    1000;  // producer ids reserved by one write, as Kafka's controller hands them out
constexpr std::string_view kTitle = "moldau-catalog 2";
constexpr std::string_view kOldTitle = "moldau-catalog 1";

struct Stored {
  std::vector<Topic> topics;
  std::set<std::string> names;  // of them
  int64_t reserved = 0;
};

std::vector<std::string_view> words(std::string_view line) {
  std::vector<std::string_view> out;
  while (!line.empty()) {
    size_t space = std::min(line.find(' '), line.size());
    if (space > 0) out.push_back(line.substr(0, space));
    line.remove_prefix(std::min(space + 1, line.size()));
  }
  return out;
}

template <class T>
bool to_number(std::string_view text, T* out) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *out);
  return error == std::errc() && end == text.data() + text.size() && *out >= 0;
}

bool plain(char c) { return c > ' ' && c < 0x7f && c != '%'; }

std::string escape(std::string_view text) {
  std::string out;
  for (char c : text)
    out += plain(c) ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  return out;
}

std::optional<std::string> unescape(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    size_t taken = 1;
    char c = text.front();
    if (c == '%') {
      unsigned byte = 0;
      taken = 3;
      if (text.size() < taken) return std::nullopt;
      auto [end, error] = std::from_chars(text.data() + 1, text.data() + taken, byte, 16);
      if (error != std::errc() || end != text.data() + taken) return std::nullopt;
      c = static_cast<char>(byte);
    }
    out += c;
    text.remove_prefix(taken);
  }
  return out;
}

// False: there is no topic above it, or it is no setting.
bool parse_config(std::string_view text, Stored* out) {
  size_t equal = text.find('=');
  if (out->topics.empty() || equal == text.npos) return false;
  std::string name(text.substr(0, equal));
  std::optional<std::string> value = unescape(text.substr(equal + 1));
  if (!value || topic_config_fault({{name, *value}}).error != wire::ErrorCode::none) return false;
  return out->topics.back().configs.emplace(std::move(name), std::move(*value)).second;
}

Result<void> parse_line(std::string_view line, Stored* out) {
  std::vector<std::string_view> w = words(line);
  if (w.size() == 2 && w[0] == "config" && parse_config(w[1], out)) return {};
  if (w.size() == 2 && w[0] == "producer-ids" && to_number(w[1], &out->reserved)) return {};
  if (w.size() == 4 && w[0] == "topic" && !topic_name_fault(w[1])) {
    Topic topic{.name = std::string(w[1])};
    TRY(id, Uuid::parse(w[2]));
    topic.id = id;
    if (to_number(w[3], &topic.partitions) && topic.partitions > 0) {
      if (!out->names.insert(topic.name).second)
        return fail(Errc::corrupt, fmt::format("topic '{}' stands there twice", topic.name));
      out->topics.push_back(std::move(topic));
      return {};
    }
  }
  return fail(
      Errc::corrupt,
      fmt::format("'{}' is neither a topic nor a setting of one nor a producer id block", line));
}

Result<Stored> parse(std::string_view text) {
  Stored out;
  size_t number = 0;
  while (!text.empty()) {
    size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    number++;
    if (number == 1) {
      if (line != kTitle && line != kOldTitle)
        return fail(Errc::corrupt, fmt::format("line 1 is '{}', expected '{}'", line, kTitle));
      continue;
    }
    Result<void> parsed = parse_line(line, &out);
    if (!parsed) return std::move(parsed.error()).in(fmt::format("line {}", number));
  }
  if (number == 0)
    return fail(Errc::corrupt, fmt::format("line 1 is missing, expected '{}'", kTitle));
  return out;
}

std::string print(const std::vector<Topic>& topics, int64_t reserved) {
  std::string out = fmt::format("{}\nproducer-ids {}\n", kTitle, reserved);
  for (const Topic& t : topics) {
    out += fmt::format("topic {} {} {}\n", t.name, t.id.to_string(), t.partitions);
    for (const auto& [name, value] : t.configs)
      out += fmt::format("config {}={}\n", name, escape(value));
  }
  return out;
}

}  // namespace

FileCatalog::FileCatalog(host::Env& env, std::string path)
    : env_(env),
      path_(std::move(path)),
      topics_(std::make_shared<const Topics>()),
      free_(std::make_unique<host::Event>(env.loop)) {}
FileCatalog::~FileCatalog() = default;

Task<Result<std::unique_ptr<Catalog>>> FileCatalog::open(host::Env& env, std::string path) {
  std::unique_ptr<FileCatalog> catalog(new FileCatalog(env, path));
  Result<std::string> text = co_await host::read_whole_file(env.disk, path);
  if (text) {
    Result<Stored> stored = parse(*text);
    if (!stored) co_return std::move(stored.error()).in(path);
    auto read = std::make_shared<const Topics>(std::move(stored->topics));
    catalog->topics_.enter([&](auto& topics) { topics = std::move(read); });
    catalog->next_id_ = catalog->reserved_ = stored->reserved;
  } else if (text.error().code() != Errc::not_found) {
    co_return std::move(text.error());
  }
  co_return std::unique_ptr<Catalog>(std::move(catalog));
}

std::shared_ptr<const Topics> FileCatalog::topics() const {
  return topics_.enter([](const auto& topics) { return topics; });
}

// Holds the right to change the catalog; the next in line gets it in the destructor.
class FileCatalog::Turn {
 public:
  explicit Turn(FileCatalog& catalog) : catalog_(catalog) {}
  ~Turn() {
    catalog_.busy_ = false;
    catalog_.free_->notify_one();
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  FileCatalog& catalog_;
};

Task<void> FileCatalog::take_turn() {
  while (busy_) co_await free_->wait();
  busy_ = true;
}

Task<Result<void>> FileCatalog::store(std::vector<Topic> topics, int64_t reserved) {
  std::string text = print(topics, reserved);
  CO_TRY_(host::replace_whole_file(env_.disk, path_, text));
  reserved_ = reserved;
  auto next = std::make_shared<const Topics>(std::move(topics));
  topics_.enter([&](auto& topics_now) { topics_now = std::move(next); });
  co_return Result<void>();
}

Task<Result<void>> FileCatalog::create(Topic topic) {
  co_await take_turn();
  Turn turn(*this);
  std::shared_ptr<const Topics> now = topics();
  if (now->find(topic.name))
    co_return fail(Errc::already_exists, fmt::format("Topic '{}' already exists.", topic.name));
  std::vector<Topic> next = now->all();
  next.push_back(std::move(topic));
  co_return co_await store(std::move(next), reserved_);
}

Task<Result<void>> FileCatalog::replace(Topic topic) {
  co_await take_turn();
  Turn turn(*this);
  std::vector<Topic> next = topics()->all();
  auto old = std::ranges::find(next, topic.id, &Topic::id);
  bool there = old != next.end();
  if (!there) co_return fail(Errc::not_found, fmt::format("there is no topic '{}'", topic.name));
  *old = std::move(topic);
  co_return co_await store(std::move(next), reserved_);
}

Task<Result<void>> FileCatalog::remove(std::string name) {
  co_await take_turn();
  Turn turn(*this);
  std::vector<Topic> next = topics()->all();
  size_t removed = std::erase_if(next, [&](const Topic& t) { return t.name == name; });
  if (removed == 0) co_return fail(Errc::not_found, fmt::format("there is no topic '{}'", name));
  co_return co_await store(std::move(next), reserved_);
}

Task<Result<ProducerId>> FileCatalog::next_producer_id() {
  co_await take_turn();
  Turn turn(*this);
  if (next_id_ == reserved_) {
    std::vector<Topic> same = topics()->all();
    CO_TRY_(store(std::move(same), reserved_ + kIdBlock));
  }
  co_return ProducerId(next_id_++);
}

}  // namespace moldau::broker
