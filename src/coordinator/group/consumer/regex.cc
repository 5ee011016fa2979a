#include "coordinator/group/consumer/regex.h"

#include <re2/re2.h>

namespace moldau::coordinator::group {

namespace {

re2::RE2::Options quiet() {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(8 << 20);  // an expression that needs more is refused
  return options;
}

re2::StringPiece piece(std::string_view text) { return {text.data(), text.size()}; }

std::string_view in_kafkas_words(re2::RE2::ErrorCode code) {
  switch (code) {
    case re2::RE2::ErrorBadEscape:
      return "invalid escape sequence";
    case re2::RE2::ErrorBadCharClass:
      return "invalid character class";
    case re2::RE2::ErrorBadCharRange:
      return "invalid character class range";
    case re2::RE2::ErrorMissingBracket:
      return "missing closing ]";
    case re2::RE2::ErrorMissingParen:
      return "missing closing )";
    case re2::RE2::ErrorUnexpectedParen:
      return "unexpected )";
    case re2::RE2::ErrorTrailingBackslash:
      return "trailing backslash at end of expression";
    case re2::RE2::ErrorRepeatArgument:
      return "missing argument to repetition operator";
    case re2::RE2::ErrorRepeatSize:
      return "invalid repeat count";
    case re2::RE2::ErrorRepeatOp:
      return "invalid nested repetition operator";
    case re2::RE2::ErrorBadPerlOp:
      return "invalid or unsupported Perl syntax";
    case re2::RE2::ErrorBadUTF8:
      return "invalid UTF-8";
    case re2::RE2::ErrorBadNamedCapture:
      return "invalid named capture";
    case re2::RE2::ErrorPatternTooLarge:
      return "expression too large";
    default:
      return "internal error";
  }
}

}  // namespace

std::optional<std::string> regex_fault(std::string_view expression) {
  re2::RE2 compiled(piece(expression), quiet());
  if (compiled.ok()) return std::nullopt;
  return std::string(in_kafkas_words(compiled.error_code()));
}

std::vector<std::string> topics_matching(std::string_view expression, const KnownTopics& topics) {
  re2::RE2 compiled(piece(expression), quiet());
  std::vector<std::string> out;
  if (!compiled.ok()) return out;
  for (const KnownTopic& topic : topics.all())
    if (re2::RE2::FullMatch(piece(topic.name), compiled)) out.push_back(topic.name);
  return out;
}

}  // namespace moldau::coordinator::group
