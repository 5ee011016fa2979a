#include "broker/monitoring/http_server.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "broker/monitoring/http_request.h"
#include "broker/monitoring/metrics_page.h"
#include "broker/monitoring/prometheus_text.h"
#include "host/loop.h"

namespace moldau::broker {

using host::Task;

namespace {
constexpr Duration kLook = seconds(1);
constexpr Duration kRetryAccept = milliseconds(20);
constexpr std::string_view kPlain = "text/plain; charset=utf-8";
}  // namespace

struct HttpServer::Connection {
  std::unique_ptr<host::Stream> stream;
  std::string received;
  Instant since;  // it began to wait for the peer
  std::list<Connection*>::iterator place;
};

struct HttpServer::Answer {
  int status = 200;
  std::string_view type = kPlain;
  std::string body;
};

Result<std::unique_ptr<HttpServer>> HttpServer::open(host::Env& env, const host::Address& at,
                                                     bool any_port) {
  Result<std::unique_ptr<host::Listener>> listener = env.network.listen(at);
  if (!listener && any_port && listener.error().code() == Errc::address_in_use) {
    host::Address other = at;
    other.port = 0;
    listener = env.network.listen(other);
  }
  if (!listener) return std::move(listener.error()).in("moldau.http.listener");
  return std::make_unique<HttpServer>(env, std::move(*listener));
}

HttpServer::HttpServer(host::Env& env, std::unique_ptr<host::Listener> listener)
    : env_(env), listener_(std::move(listener)), stopped_(env.loop), tasks_(env.loop, "http") {
  tasks_.spawn(accept_connections());
  tasks_.spawn(watch());
}

void HttpServer::ready(Node& node) {
  node_ = &node;
  why_not_.clear();
}

Task<void> HttpServer::not_ready(std::string why) {
  node_ = nullptr;
  why_not_ = std::move(why);
  co_await page_.acquire(1);  // who has begun a page ends it before the node goes
  page_.release(1);
}

Task<void> HttpServer::stop() {
  stopping_ = true;
  stopped_.notify_all();
  listener_->close();
  for (Connection* one : live_) one->stream->close();
  co_await tasks_.drained();
}

Task<void> HttpServer::accept_connections() {
  while (!stopping_) {
    Result<std::unique_ptr<host::Stream>> stream = co_await listener_->accept();
    if (!stream && stream.error().code() == Errc::cancelled) break;
    if (!stream) {
      co_await env_.loop.sleep(kRetryAccept);
      continue;
    }
    bool room = live_.size() < kMaxConnections;
    if (room && !stopping_) tasks_.spawn(serve(std::move(*stream)));
  }
}

// Ends the connections of those who let us wait.
Task<void> HttpServer::watch() {
  while (!stopping_) {
    Instant next = env_.loop.now() + kLook;
    (void)co_await stopped_.wait_until(next);
    for (Connection* one : live_)
      if (env_.loop.now() - one->since > kPatience) one->stream->close();
  }
}

Task<void> HttpServer::serve(std::unique_ptr<host::Stream> stream) {
  if (stopping_) co_return;
  Connection connection{
      .stream = std::move(stream), .received = {}, .since = env_.loop.now(), .place = {}};
  connection.place = live_.insert(live_.end(), &connection);
  co_await converse(connection);
  live_.erase(connection.place);
}

Task<void> HttpServer::converse(Connection& connection) {
  std::array<uint8_t, 2048> piece;
  while (!stopping_) {
    HttpParse parse = parse_http(connection.received);
    if (parse.state == HttpParse::State::incomplete) {
      MutableBytes into(piece);
      Result<size_t> got = co_await connection.stream->recv(into);
      if (!got || *got == 0) co_return;
      connection.received.append(reinterpret_cast<const char*>(piece.data()), *got);
      continue;
    }
    bool good = parse.state == HttpParse::State::complete;
    Answer reply{.status = parse.status, .body = {}};
    if (good) reply = co_await answer(parse.request);
    bool keep = good && parse.request.keep_alive;
    bool head = good && parse.request.method == "HEAD";
    if (!good) reply.body = std::string(http_reason(reply.status)) + "\n";
    std::string bytes = fmt::format(
        "HTTP/1.1 {} {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: {}\r\n{}\r\n{}",
        reply.status, http_reason(reply.status), reply.type, reply.body.size(),
        keep ? "keep-alive" : "close", reply.status == 405 ? "Allow: GET, HEAD\r\n" : "",
        head ? "" : reply.body);
    connection.received.erase(0, parse.used);
    bool sent = co_await send(connection, std::move(bytes));
    if (!sent || !keep) co_return;
    connection.since = env_.loop.now();
  }
}

Task<HttpServer::Answer> HttpServer::answer(const HttpRequest& request) {
  if (request.method != "GET" && request.method != "HEAD")
    co_return Answer{.status = 405, .body = "GET and HEAD are there\n"};
  bool health = request.path == "/healthz" || request.path == "/readyz";
  if (request.path == "/livez" || (health && node_)) co_return Answer{.body = "ok\n"};
  if (request.path != "/metrics" && !health)
    co_return Answer{.status = 404, .body = "there are /metrics, /healthz, /readyz and /livez\n"};
  if (health || !node_) co_return Answer{.status = 503, .body = why_not_ + "\n"};
  co_await page_.acquire(1);
  Node* node = node_;  // it may have gone meanwhile
  Answer page{.status = 503, .body = why_not_ + "\n"};
  if (node) {
    std::string text = co_await metrics_page(*node);
    page = {.type = PrometheusText::kContentType, .body = std::move(text)};
  }
  page_.release(1);
  co_return page;
}

Task<bool> HttpServer::send(Connection& connection, std::string bytes) {
  Bytes rest = as_bytes(bytes);
  while (!rest.empty()) {
    connection.since = env_.loop.now();
    std::array<Bytes, 1> parts = {rest};
    Result<size_t> sent = co_await connection.stream->send(parts);
    if (!sent) co_return false;
    rest = rest.subspan(*sent);
  }
  co_return true;
}

}  // namespace moldau::broker
