#include "broker/monitoring/http_request.h"

#include <algorithm>

namespace moldau::broker {

namespace {

constexpr std::string_view kLineEnd = "\r\n";
constexpr std::string_view kHeadEnd = "\r\n\r\n";
constexpr size_t kMaxTarget = 1024;

HttpParse refuse(int status) {
  return {.state = HttpParse::State::refused, .status = status, .request = {}};
}

bool token_character(char c) {
  constexpr std::string_view kSigns = "!#$%&'*+-.^_`|~";
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         kSigns.find(c) != kSigns.npos;
}
bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, token_character);
}
bool visible(char c) { return c > ' ' && c < 127; }
// Of a header's value: no control characters but the tab.
bool value_character(char c) { return c == '\t' || static_cast<unsigned char>(c) >= ' '; }

bool same_word(std::string_view a, std::string_view b) {
  auto small = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::ranges::equal(a, b, {}, small, small);
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// "GET /metrics HTTP/1.1". 0, or the status that refuses it.
int read_request_line(std::string_view line, HttpRequest& request) {
  size_t first = line.find(' ');
  size_t last = line.rfind(' ');
  if (first == line.npos || first == last) return 400;
  request.method = line.substr(0, first);
  std::string_view target = line.substr(first + 1, last - first - 1);
  std::string_view version = line.substr(last + 1);
  if (!is_token(request.method) || target.empty() || !std::ranges::all_of(target, visible))
    return 400;
  if (!version.starts_with("HTTP/")) return 400;
  if (version != "HTTP/1.1" && version != "HTTP/1.0") return 505;
  if (target.size() > kMaxTarget) return 414;
  if (target.front() != '/') return 400;
  size_t question = target.find('?');
  request.path = target.substr(0, question);
  if (question != target.npos) request.query = target.substr(question + 1);
  request.keep_alive = version == "HTTP/1.1";
  return 0;
}

bool has_word(std::string_view list, std::string_view word) {
  while (!list.empty()) {
    size_t comma = list.find(',');
    if (same_word(trim(list.substr(0, comma)), word)) return true;
    list = comma == list.npos ? std::string_view() : list.substr(comma + 1);
  }
  return false;
}

int read_header(std::string_view line, HttpRequest& request) {
  size_t colon = line.find(':');
  if (colon == line.npos) return 400;
  std::string_view name = line.substr(0, colon);
  std::string_view value = trim(line.substr(colon + 1));
  if (!is_token(name) || !std::ranges::all_of(value, value_character)) return 400;
  // No request of ours has a body: where the next one begins must not depend on one.
  if (same_word(name, "transfer-encoding")) return 413;
  if (same_word(name, "content-length") && value != "0") return 413;
  if (same_word(name, "connection")) {
    if (has_word(value, "close")) request.keep_alive = false;
    if (has_word(value, "keep-alive")) request.keep_alive = true;
  }
  return 0;
}

}  // namespace

HttpParse parse_http(std::string_view bytes) {
  size_t end = bytes.substr(0, kMaxHttpHead).find(kHeadEnd);
  if (end == bytes.npos) {
    bool too_long = bytes.size() >= kMaxHttpHead;
    return too_long ? refuse(431) : HttpParse{.request = {}};
  }
  HttpParse parse{
      .state = HttpParse::State::complete, .used = end + kHeadEnd.size(), .request = {}};
  std::string_view head = bytes.substr(0, end);
  bool first = true;
  for (;;) {
    size_t at = head.find(kLineEnd);
    std::string_view line = head.substr(0, at);
    int status = first ? read_request_line(line, parse.request) : read_header(line, parse.request);
    if (status != 0) return refuse(status);
    first = false;
    if (at == head.npos) return parse;
    head.remove_prefix(at + kLineEnd.size());
  }
}

std::string_view http_reason(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 431:
      return "Request Header Fields Too Large";
    case 503:
      return "Service Unavailable";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Error";
  }
}

}  // namespace moldau::broker
