// The HTTP port of a broker: what it says when, and that nobody can do harm there.
#include <fmt/format.h>

#include "broker_world.h"
#include "host/network.h"

namespace moldau::broker {
namespace {

struct HttpReply {
  int status = 0;
  std::string head;
  std::string body;
};

// A connection to the HTTP port, moved by hand.
class Browser {
 public:
  explicit Browser(BrokerWorld& world)
      : world_(world), scope_(world.clients.env().loop, "browser") {
    host::Address at{world.node.ip(), 9644};
    scope_.spawn(run(world.clients.env(), at));
    EXPECT_TRUE(world.run_until([&] { return stream_ || closed_; }, seconds(5)));
  }
  ~Browser() {
    if (stream_) stream_->close();
    world_.run_until([&] { return scope_.running() == 0; }, seconds(5));
  }
  void send(const std::string& bytes) {
    if (!stream_) return;
    bool done = false;
    scope_.spawn(transmit(bytes, done));
    EXPECT_TRUE(world_.run_until([&] { return done; }, seconds(5)));
  }
  std::optional<HttpReply> reply(Duration within = seconds(5)) {
    HttpReply out;
    world_.run_until([&] { return take(out) || closed_; }, within);
    return out.status ? std::optional(out) : std::nullopt;
  }
  HttpReply get(const std::string& path) {
    send("GET " + path + " HTTP/1.1\r\nHost: a\r\n\r\n");
    return reply().value_or(HttpReply{});
  }
  bool closed(Duration within = seconds(1)) {
    return world_.run_until([&] { return closed_; }, within);
  }

 private:
  host::Task<void> run(host::Env& env, host::Address at) {
    Result<std::unique_ptr<host::Stream>> stream = co_await env.network.connect(at);
    if (stream) stream_ = std::move(*stream);
    std::array<uint8_t, 4096> piece;
    while (stream_) {
      MutableBytes into(piece);
      Result<size_t> got = co_await stream_->recv(into);
      if (!got || *got == 0) break;
      received_.append(reinterpret_cast<const char*>(piece.data()), *got);
    }
    closed_ = true;
  }
  host::Task<void> transmit(std::string bytes, bool& done) {
    Bytes rest = as_bytes(bytes);
    while (!rest.empty()) {
      std::array<Bytes, 1> parts = {rest};
      Result<size_t> sent = co_await stream_->send(parts);
      if (!sent) break;
      rest = rest.subspan(*sent);
    }
    done = true;
  }
  bool take(HttpReply& out) {
    size_t end = received_.find("\r\n\r\n");
    if (end == received_.npos) return false;
    std::string head = received_.substr(0, end);
    size_t length = std::stoul(head.substr(head.find("Content-Length: ") + 16));
    if (received_.size() < end + 4 + length) return false;
    out = {std::stoi(head.substr(9, 3)), head, received_.substr(end + 4, length)};
    received_.erase(0, end + 4 + length);
    return true;
  }
  BrokerWorld& world_;
  std::unique_ptr<host::Stream> stream_;
  std::string received_;
  bool closed_ = false;
  host::Scope scope_;
};

struct Http : testing::Test {
  BrokerWorld world;
  Http() { world.config.http = host::Address{world.node.ip(), 9644}; }
};

TEST_F(Http, IsHealthyWhileItServes) {
  world.start();
  Browser browser(world);
  for (const char* path : {"/healthz", "/readyz", "/livez"}) {
    HttpReply reply = browser.get(path);
    EXPECT_EQ(reply.status, 200) << path;
    EXPECT_EQ(reply.body, "ok\n");
  }
  EXPECT_EQ(browser.get("/nothing").status, 404);
}

TEST_F(Http, IsNotReadyBeforeLogsAreOpenAndWhileItStops) {
  world.start();
  Client client(world);
  client.create("t", 20);
  client.close();
  ASSERT_TRUE(world.stop());
  world.node.disk().slow_down(50);
  bool not_ready = false;
  bool began = false;
  world.begin_start();
  for (int i = 0; i < 2000 && !world.server; i++) {
    world.run_for(milliseconds(1));
    if (world.server || began) continue;
    began = true;
    Browser early(world);
    HttpReply reply = early.get("/healthz");
    not_ready |= reply.status == 503 && reply.body == "starting\n";
    EXPECT_EQ(early.get("/livez").status, 200);
    EXPECT_EQ(early.get("/metrics").status, 503);
  }
  EXPECT_TRUE(not_ready) << "the start was over before anybody could ask";
  ASSERT_TRUE(world.run_until([&] { return world.server != nullptr; }));
  Browser later(world);
  EXPECT_EQ(later.get("/healthz").status, 200);
  EXPECT_FALSE(world.stop(milliseconds(1)));
  HttpReply reply = later.get("/healthz");
  EXPECT_EQ(reply.status, 503);
  EXPECT_EQ(reply.body, "stopping\n");
  EXPECT_TRUE(world.run_until([&] { return world.stop_result.has_value(); }));
}

TEST_F(Http, ShowsWhatHappened) {
  world.start();
  Client client(world);
  client.create("t", 2);
  Batch batch{.records = 3};
  EXPECT_EQ(client.produce("t", batch, 1).error, 0);
  EXPECT_EQ(client.fetch({.partitions = {{.index = 1}}}).error, 0);
  EXPECT_EQ(client.produce("t", {}, 7).error, 3);
  Browser browser(world);
  HttpReply page = browser.get("/metrics");
  EXPECT_EQ(page.status, 200);
  EXPECT_NE(page.head.find("Content-Type: text/plain; version=0.0.4"), page.head.npos);
  size_t bytes = batch.bytes().size();
  for (const std::string& line :
       {std::string("kafka_server_brokertopicmetrics_messagesin_total{topic=\"t\"} 3"),
        fmt::format("kafka_server_brokertopicmetrics_bytesin_total{{topic=\"t\"}} {}", bytes),
        fmt::format("kafka_server_brokertopicmetrics_bytesout_total {}", bytes),
        std::string("kafka_network_requestmetrics_requests_total{request=\"Produce\"} 2"),
        std::string("moldau_request_seconds_count{request=\"Fetch\"} 1"),
        std::string("kafka_topic_partition_current_offset{topic=\"t\",partition=\"1\"} 3"),
        fmt::format("kafka_log_log_size{{topic=\"t\",partition=\"1\"}} {}", bytes),
        std::string("kafka_topic_partitions{topic=\"t\"} 2"),
        std::string("kafka_server_replicamanager_partitioncount 2"),
        std::string("kafka_server_socket_server_metrics_connection_count 1")})
    EXPECT_NE(page.body.find("\n" + line + "\n"), page.body.npos) << line;
  EXPECT_EQ(client.remove("t").error, 0);
  page = browser.get("/metrics");
  EXPECT_EQ(page.body.find("topic=\"t\""), page.body.npos);
  EXPECT_NE(page.body.find("\nkafka_server_brokertopicmetrics_messagesin_total 3\n"),
            page.body.npos)
      << "a counter never goes back";
}

TEST_F(Http, ShowsHowFarGroupsAre) {
  world.start();
  Client client(world);
  client.create("t");
  EXPECT_EQ(client.produce("t", {.records = 5}).error, 0);
  Out commit;  // version 2: as a simple consumer
  commit.text("readers").i32(-1).text("").i64(-1);
  commit.i32(1).text("t").i32(1).i32(0).i64(2).text("");
  int16_t error = -2;
  for (int i = 0; i < 100 && error != 0; i++) {
    client.call(api::kFindCoordinator, 0, Out().text("readers").bytes());
    In in = client.call(api::kOffsetCommit, 2, commit.bytes());
    in.i32();
    in.text();
    in.i32();
    in.i32();
    error = in.i16();
    world.run_for(milliseconds(20));
  }
  ASSERT_EQ(error, 0);
  Browser browser(world);
  std::string body = browser.get("/metrics").body;
  std::string of = "{consumergroup=\"readers\",topic=\"t\",partition=\"0\"} ";
  EXPECT_NE(body.find("\nkafka_consumergroup_current_offset" + of + "2\n"), body.npos);
  EXPECT_NE(body.find("\nkafka_consumergroup_lag" + of + "3\n"), body.npos);
}

TEST_F(Http, AnswersSeveralRequestsOfOneConnectionInOrder) {
  world.start();
  Browser browser(world);
  browser.send("GET /livez HTTP/1.1\r\n\r\nGET /no HTTP/1.1\r\n\r\nHEAD /healthz HTTP/1.1\r\n\r\n");
  EXPECT_EQ(browser.reply()->status, 200);
  EXPECT_EQ(browser.reply()->status, 404);
  browser.send("POST /livez HTTP/1.1\r\n\r\n");
  EXPECT_FALSE(browser.closed(milliseconds(100)));
}

TEST_F(Http, EndsConnectionsOfThoseWhoSayNonsenseOrNothing) {
  world.start();
  Browser nonsense(world);
  nonsense.send("what?\r\n\r\n");
  EXPECT_EQ(nonsense.reply()->status, 400);
  EXPECT_TRUE(nonsense.closed());
  Browser endless(world);
  endless.send(std::string(20'000, 'x'));
  EXPECT_EQ(endless.reply()->status, 431);
  EXPECT_TRUE(endless.closed());
  Browser old(world);
  old.send("GET /livez HTTP/1.0\r\n\r\n");
  EXPECT_EQ(old.reply()->status, 200);
  EXPECT_TRUE(old.closed());
  Browser slow(world);
  slow.send("GET /livez HTT");
  EXPECT_FALSE(slow.closed(seconds(9)));
  EXPECT_TRUE(slow.closed(seconds(5)));
}

TEST_F(Http, HasRoomForAFewConnectionsAndTheOthersGoAway) {
  world.start();
  std::vector<std::unique_ptr<Browser>> many;
  for (int i = 0; i < 40; i++) many.push_back(std::make_unique<Browser>(world));
  int open = 0;
  for (auto& one : many) open += !one->closed(milliseconds(1));
  EXPECT_EQ(open, 32);
  many.clear();
  world.run_for(seconds(1));
  Browser again(world);
  EXPECT_EQ(again.get("/healthz").status, 200);
}

TEST_F(Http, TheBrokerStopsWhileSomebodyWatches) {
  world.start();
  Browser browser(world);
  EXPECT_EQ(browser.get("/metrics").status, 200);
  EXPECT_TRUE(world.stop());
  EXPECT_TRUE(browser.closed());
}

}  // namespace
}  // namespace moldau::broker
