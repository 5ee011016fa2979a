#include "broker/monitoring/http_request.h"

#include <gtest/gtest.h>

namespace moldau::broker {
namespace {

using State = HttpParse::State;

TEST(HttpRequest, IsReadWithItsPathAndQuery) {
  std::string bytes = "GET /metrics?dialect=x HTTP/1.1\r\nHost: a\r\nAccept:  */* \r\n\r\nGET /";
  HttpParse parse = parse_http(bytes);
  ASSERT_EQ(parse.state, State::complete);
  EXPECT_EQ(parse.request.method, "GET");
  EXPECT_EQ(parse.request.path, "/metrics");
  EXPECT_EQ(parse.request.query, "dialect=x");
  EXPECT_TRUE(parse.request.keep_alive);
  EXPECT_EQ(parse.used, bytes.size() - 5) << "the next one stays";
}

TEST(HttpRequest, IsIncompleteUntilTheEmptyLine) {
  std::string bytes = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  for (size_t n = 0; n < bytes.size(); n++)
    EXPECT_EQ(parse_http(bytes.substr(0, n)).state, State::incomplete) << n;
  EXPECT_EQ(parse_http(bytes).state, State::complete);
}

TEST(HttpRequest, SaysWhetherTheConnectionStays) {
  auto stays = [](const std::string& head) {
    HttpParse parse = parse_http(head + "\r\n\r\n");
    EXPECT_EQ(parse.state, State::complete) << head;
    return parse.request.keep_alive;
  };
  EXPECT_TRUE(stays("GET / HTTP/1.1"));
  EXPECT_FALSE(stays("GET / HTTP/1.0"));
  EXPECT_TRUE(stays("GET / HTTP/1.0\r\nConnection: Keep-Alive"));
  EXPECT_FALSE(stays("GET / HTTP/1.1\r\nconnection: foo, CLOSE"));
}

TEST(HttpRequest, IsRefusedWhereItIsNone) {
  struct Row {
    const char* head;
    int status;
  };
  for (const Row& row :
       {Row{"GET", 400}, Row{"GET /", 400}, Row{"GET  HTTP/1.1", 400}, Row{"", 400},
        Row{"G(T / HTTP/1.1", 400}, Row{"GET / HTTP/2.0", 505}, Row{"GET / http/1.1", 400},
        Row{"GET /a b HTTP/1.1", 400}, Row{"GET http://a/ HTTP/1.1", 400},
        Row{"GET /\x01 HTTP/1.1", 400}, Row{"GET / HTTP/1.1\r\nno colon", 400},
        Row{"GET / HTTP/1.1\r\n folded: line", 400}, Row{"GET / HTTP/1.1\r\nspace : x", 400},
        Row{"GET / HTTP/1.1\r\na: \x02", 400}, Row{"GET / HTTP/1.1\r\nContent-Length: 5", 413},
        Row{"GET / HTTP/1.1\r\ntransfer-encoding: chunked", 413}}) {
    HttpParse parse = parse_http(std::string(row.head) + "\r\n\r\n");
    EXPECT_EQ(parse.state, State::refused) << row.head;
    EXPECT_EQ(parse.status, row.status) << row.head;
  }
  EXPECT_EQ(parse_http("GET / HTTP/1.1\r\nContent-Length: 0\r\n\r\n").state, State::complete);
}

TEST(HttpRequest, HasABound) {
  std::string target = "GET /" + std::string(1100, 'x') + " HTTP/1.1\r\n\r\n";
  EXPECT_EQ(parse_http(target).status, 414);
  std::string endless(kMaxHttpHead - 1, 'x');
  EXPECT_EQ(parse_http(endless).state, State::incomplete);
  EXPECT_EQ(parse_http(endless + "x").status, 431);
  std::string late = "GET / HTTP/1.1\r\na: " + std::string(kMaxHttpHead, 'x') + "\r\n\r\n";
  EXPECT_EQ(parse_http(late).status, 431);
}

}  // namespace
}  // namespace moldau::broker
