// Descriptions of all messages, for code that treats every message alike: printing, random messages
// for tests, the table of APIs. Made by generate.py.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "wire/api_key.h"
#include "wire/types.h"

namespace moldau::wire {

class Reader;
class Writer;

enum class Kind : uint8_t {
  boolean,
  i8,
  i16,
  u16,
  i32,
  u32,
  i64,
  f64,
  uuid,
  string,
  bytes,
  records,
  structure
};
enum class MessageKind : uint8_t {
  request,
  response,
  header,
  data,
  record,
  remote_record,
  coordinator_key,
  coordinator_value
};

struct StructInfo;

// How a field lies in its struct: array: Array<T>; a structure whose null range is not empty: const
// T*; a string or bytes of that sort: NullableString, NullableBytes; else the plain type.
struct FieldInfo {
  const char* name;
  Kind kind;
  bool array;
  bool default_null;
  size_t offset;
  int16_t from, to;            // versions that have it
  int16_t null_from, null_to;  // versions in which it may be null; empty if from > to
  int32_t tag;                 // -1: none
  int64_t default_number;      // of numbers and booleans
  const StructInfo* type;      // of structures

  bool in(int16_t version) const { return from <= version && version <= to; }
  bool null_in(int16_t version) const { return null_from <= version && version <= null_to; }
  bool may_be_null() const { return null_from <= null_to; }
};

constexpr size_t kNoTags = SIZE_MAX;

struct StructInfo {
  const char* name;
  std::span<const FieldInfo> fields;
  size_t size;
  size_t tags_offset;  // of unknown_tags; kNoTags if no version is flexible
  void (*construct)(void* at);
};

struct MessageInfo {
  const char* name;
  MessageKind kind;
  int16_t api_key;  // of requests, responses and numbered records; else -1
  int16_t min_version, max_version, first_flexible;
  const StructInfo* body;
  void (*read)(void* message, Reader&, int16_t version);
  void (*write)(const void* message, Writer&, int16_t version);
  bool (*same)(const void* a, const void* b);
};

struct VersionRange {
  int16_t min = 1, max = 0;  // empty: the release has not got it
  int16_t max_stable = 0;    // without unstable.api.versions.enable
};

constexpr uint8_t kBrokerListener = 1, kControllerListener = 2;

struct ApiInfo {
  ApiKey key;
  std::string_view name;       // as Kafka writes it: "ListOffsets"
  const MessageInfo* request;  // null as long as it has no schema here
  const MessageInfo* response;
  uint8_t listeners;
  VersionRange in_3_9, in_4_3, in_4_4;  // what those releases serve

  // Versions of the headers that stand before a request and its response. Only with a schema.
  int16_t request_header(int16_t version) const;
  int16_t response_header(int16_t version) const;
};

std::span<const MessageInfo* const> all_messages();
// Indexed by key: all_apis()[1] is Fetch.
std::span<const ApiInfo> all_apis();
// Null for keys that Kafka has not assigned.
const ApiInfo* find_api(int16_t key);

}  // namespace moldau::wire
