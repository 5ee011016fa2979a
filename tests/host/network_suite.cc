// Connections: what arrives, what closing does, what a peer that goes away looks like.
#include <array>

#include "conformance.h"

namespace moldau::host {
namespace {

struct NetworkSuite : Conformance {
  Talk talk{*harness};
};
INSTANTIATE_IN_WORLDS(NetworkSuite);

Task<void> send_it(Talk& talk, Stream& stream) {
  co_await send_all(stream, talk.sent);
  stream.shutdown_send();
}
template <size_t kBuffer>
Task<void> receive_it(Talk& talk, Stream& stream) {
  co_await receive(stream, talk.received, SIZE_MAX, kBuffer);
}

TEST_P(NetworkSuite, BytesArriveInOrder) {
  talk.sent = pattern(300'000);
  talk.run(&receive_it<7'919>, &send_it);
  EXPECT_EQ(talk.received, talk.sent);
}
TEST_P(NetworkSuite, BytesArriveByteByByte) {
  talk.sent = pattern(2'000);
  talk.run(&receive_it<1>, &send_it);
  EXPECT_EQ(talk.received, talk.sent);
}
TEST_P(NetworkSuite, AServerMaySendFirst) {
  talk.sent = pattern(50'000);
  talk.run(&send_it, &receive_it<4'096>);
  EXPECT_EQ(talk.received, talk.sent);
}

Task<void> receive_late(Talk& talk, Stream& stream) {
  co_await talk.server.loop.sleep(milliseconds(5));
  co_await receive(stream, talk.received, SIZE_MAX, 65'536);
}
TEST_P(NetworkSuite, ASenderWaitsForASlowReader) {
  talk.sent = pattern(12 << 20);  // more than two sockets hold
  talk.run(&receive_late, &send_it);
  EXPECT_TRUE(talk.received == talk.sent) << talk.received.size();
}

Task<void> send_in_parts(Talk& talk, Stream& stream) {
  std::array<Bytes, 2> nothing;
  std::span<const Bytes> empty(nothing);
  Result<size_t> none = co_await stream.send(empty);
  CO_ASSERT_OK(none);
  EXPECT_EQ(*none, 0u);
  for (Bytes rest = talk.sent; !rest.empty();) {
    std::vector<Bytes> parts;  // of 0, 1, 2 ... bytes
    for (size_t at = 0, size = 0; at < rest.size() && size < 300; at += size++)
      parts.push_back(rest.subspan(at, std::min(size, rest.size() - at)));
    std::span<const Bytes> view(parts);
    Result<size_t> n = co_await stream.send(view, rest.size() > 10'000);
    CO_ASSERT_OK(n);
    CO_ASSERT(*n > 0 && *n <= rest.size());
    rest = rest.subspan(*n);
  }
  stream.shutdown_send();
}
TEST_P(NetworkSuite, PartsGoOutOneAfterTheOther) {
  talk.sent = pattern(100'000);
  talk.run(&receive_it<4'096>, &send_in_parts);
  EXPECT_EQ(talk.received, talk.sent);
}

// Messages as large as the reader's buffer: each recv is full, and the next one may not wait for an
// event that does not come.
constexpr size_t kMessage = 64;
Task<void> answer_messages(Talk& talk, Stream& stream) {
  std::array<uint8_t, kMessage> message;
  for (;;) {
    Result<size_t> n = co_await stream.recv(message);
    CO_ASSERT_OK(n);
    if (*n == 0) co_return;
    Bytes got(message.data(), *n);
    talk.received.insert(talk.received.end(), got.begin(), got.end());
    co_await send_all(stream, got);
  }
}
Task<void> send_pipelined(Talk& talk, Stream& stream) {
  std::vector<uint8_t> replies;
  for (int round = 0; round < 20; round++) {
    co_await send_all(stream, talk.sent);
    co_await receive(stream, replies, talk.sent.size(), 4'096);
  }
  EXPECT_EQ(replies.size(), 20 * talk.sent.size());
}
TEST_P(NetworkSuite, FullReadsGoOn) {
  talk.sent = pattern(32 * kMessage);
  talk.run(&answer_messages, &send_pipelined);
  EXPECT_EQ(talk.received.size(), 20 * talk.sent.size());
}

Task<void> recv_after_the_end(Talk& talk, Stream& stream) {
  co_await talk.until(talk.server.loop, 1);
  co_await talk.server.loop.sleep(milliseconds(2));  // data and end are both here
  std::array<uint8_t, 1'000> space;
  Result<size_t> first = co_await stream.recv(space);
  CO_ASSERT_OK(first);
  size_t got = *first;
  while (got < 100) {
    Result<size_t> more = co_await stream.recv(space);
    CO_ASSERT_OK(more);
    CO_ASSERT(*more > 0);
    got += *more;
  }
  EXPECT_EQ(got, 100u);
  for (int i = 0; i < 3; i++) {
    Result<size_t> end = co_await stream.recv(space);
    CO_ASSERT_OK(end);
    EXPECT_EQ(*end, 0u) << "the end stays the end";
  }
  talk.reach(2);
}
Task<void> send_and_finish(Talk& talk, Stream& stream) {
  co_await send_all(stream, talk.sent);
  stream.shutdown_send();
  talk.reach(1);
  co_await talk.until(talk.client.loop, 2);
}
TEST_P(NetworkSuite, AnEndThatArrivesWithTheDataIsSeen) {
  talk.sent = pattern(100);
  talk.run(&recv_after_the_end, &send_and_finish);
}

// Half close, first from the client's side, then from the server's.
Task<void> read_all_then_answer(Talk& talk, Stream& stream) {
  co_await receive(stream, talk.received, SIZE_MAX, 100);
  EXPECT_EQ(talk.received.size(), 1'000u);
  co_await send_all(stream, talk.received);
  stream.shutdown_send();
  talk.reach(1);
  co_await talk.until(talk.server.loop, 2);
}
Task<void> send_finish_then_read(Talk& talk, Stream& stream) {
  co_await send_all(stream, talk.sent);
  stream.shutdown_send();
  stream.shutdown_send();
  Text late("late");
  Result<size_t> refused = co_await stream.send(late.parts());
  EXPECT_EQ(outcome(refused), "closed");
  std::vector<uint8_t> answer;
  co_await receive(stream, answer, SIZE_MAX, 64);
  EXPECT_EQ(answer, talk.sent);
  talk.reach(2);
}
TEST_P(NetworkSuite, HalfCloseLeavesTheOtherHalfOpen) {
  talk.sent = pattern(1'000);
  talk.run(&read_all_then_answer, &send_finish_then_read);
}

Task<void> recv_and_expect_cancel(Stream& stream, bool& ended) {
  std::array<uint8_t, 10> space;
  Result<size_t> n = co_await stream.recv(space);
  EXPECT_EQ(outcome(n), "cancelled");
  ended = true;
}
Task<void> close_during_recv(Talk& talk, Stream& stream) {
  Scope scope(talk.server.loop, "reader");
  bool ended = false;
  scope.spawn(recv_and_expect_cancel(stream, ended));
  co_await talk.server.loop.sleep(milliseconds(1));
  stream.close();
  EXPECT_FALSE(ended) << "close resumes nobody by itself";
  co_await scope.drained();
  std::array<uint8_t, 10> space;
  Text text("x");
  Result<size_t> n = co_await stream.recv(space);
  EXPECT_EQ(outcome(n), "cancelled");
  n = co_await stream.send(text.parts());
  EXPECT_EQ(outcome(n), "cancelled");
  stream.close();
  stream.shutdown_send();
  talk.reach(1);
}
Task<void> wait_for_step_one(Talk& talk, Stream&) { co_await talk.until(talk.client.loop, 1); }
TEST_P(NetworkSuite, CloseCancelsARecv) { talk.run(&close_during_recv, &wait_for_step_one); }

Task<void> send_until_cancelled(Stream& stream, size_t& sent) {
  std::vector<uint8_t> block(1 << 20);
  Bytes part(block);
  std::span<const Bytes> parts(&part, 1);
  for (;;) {
    Result<size_t> n = co_await stream.send(parts);
    if (!n) {
      EXPECT_EQ(outcome(n), "cancelled");
      co_return;
    }
    sent += *n;
    CO_ASSERT(sent < 1u << 30);
  }
}
Task<void> close_during_send(Talk& talk, Stream& stream) {
  Scope scope(talk.server.loop, "writer");
  size_t sent = 0, before = 1;
  scope.spawn(send_until_cancelled(stream, sent));
  while (sent != before) {  // until nothing moves any more
    before = sent;
    co_await talk.server.loop.sleep(milliseconds(3));
  }
  EXPECT_EQ(scope.running(), 1u);
  stream.close();
  co_await scope.drained();
  talk.reach(1);
}
TEST_P(NetworkSuite, CloseCancelsASend) { talk.run(&close_during_send, &wait_for_step_one); }

Task<void> accept_and_expect_cancel(Listener& listener) {
  Result<std::unique_ptr<Stream>> stream = co_await listener.accept();
  EXPECT_EQ(outcome(stream), "cancelled");
}
Task<void> close_during_accept(Env& env, IpAddress ip) {
  Result<std::unique_ptr<Listener>> listener = env.network.listen({ip, 0});
  CO_ASSERT_OK(listener);
  Scope scope(env.loop, "acceptor");
  scope.spawn(accept_and_expect_cancel(**listener));
  co_await env.loop.sleep(milliseconds(1));
  (*listener)->close();
  co_await scope.drained();
  co_await accept_and_expect_cancel(**listener);
  (*listener)->close();
}
TEST_P(NetworkSuite, CloseCancelsAnAccept) {
  run(close_during_accept(server(), harness->server_ip()));
}

// The server goes away with our data unread.
Task<void> leave_at_once(Talk& talk, Stream& stream) {
  co_await talk.until(talk.server.loop, 1);
  stream.close();
  talk.reach(2);
  co_await talk.until(talk.server.loop, 3);
}
Task<void> talk_to_a_dead_peer(Talk& talk, Stream& stream) {
  Text text("unread");
  co_await send_all(stream, text.part);
  talk.reach(1);
  co_await talk.until(talk.client.loop, 2);
  std::string last = "ok";
  for (int i = 0; i < 1'000 && last == "ok"; i++) {
    Result<size_t> n = co_await stream.send(text.parts());
    last = outcome(n);
    co_await talk.client.loop.sleep(microseconds(200));
  }
  EXPECT_TRUE(last == "reset" || last == "closed") << last;
  std::array<uint8_t, 10> space;
  Result<size_t> n = co_await stream.recv(space);
  if (n) EXPECT_EQ(*n, 0u);
  if (!n) EXPECT_EQ(outcome(n), "reset");
  talk.reach(3);
}
TEST_P(NetworkSuite, APeerThatLeftIsReported) { talk.run(&leave_at_once, &talk_to_a_dead_peer); }

Task<void> recv_until_gone(Talk& talk, Stream& stream) {
  std::array<uint8_t, 10> space;
  Result<size_t> n = co_await stream.recv(space);
  while (n && *n > 0) n = co_await stream.recv(space);
  if (!n) EXPECT_EQ(outcome(n), "reset");
  talk.reach(1);
}
Task<void> close_now(Talk&, Stream& stream) {
  stream.close();
  co_return;
}
TEST_P(NetworkSuite, AWaitingRecvEndsWhenThePeerCloses) { talk.run(&recv_until_gone, &close_now); }

Task<void> compare_addresses(Talk& talk, Stream& stream) {
  EXPECT_EQ(stream.local(), talk.at) << stream.local().to_string();
  EXPECT_NE(stream.peer().port, 0);
  Address peer = stream.peer();
  std::string text = peer.to_string();
  co_await send_all(stream, as_bytes(text));
  stream.shutdown_send();
  co_await talk.until(talk.server.loop, 1);
}
Task<void> compare_back(Talk& talk, Stream& stream) {
  EXPECT_EQ(stream.peer(), talk.at);
  std::vector<uint8_t> seen;
  co_await receive(stream, seen, SIZE_MAX, 100);
  EXPECT_EQ(as_text(seen), stream.local().to_string());
  talk.reach(1);
}
TEST_P(NetworkSuite, BothSidesKnowBothAddresses) { talk.run(&compare_addresses, &compare_back); }

Task<void> listen_for_a_moment(Env& env, Address& at) {
  Result<std::unique_ptr<Listener>> listener = env.network.listen(at);
  CO_ASSERT_OK(listener);
  at.port = (*listener)->local().port;
  EXPECT_NE(at.port, 0);
  (*listener)->close();
}
Task<void> connect_in_vain(Env& env, Address at) {
  Result<std::unique_ptr<Stream>> stream = co_await env.network.connect(at);
  EXPECT_EQ(outcome(stream), "refused");
  if (!stream)
    EXPECT_NE(stream.error().text().find(at.to_string()), std::string::npos)
        << stream.error().text();
}
TEST_P(NetworkSuite, ConnectingToNobodyIsRefused) {
  Address at{harness->server_ip(), 0};
  run(listen_for_a_moment(server(), at));
  Scope visitors(harness->client().loop, "client");
  visitors.spawn(connect_in_vain(harness->client(), at));
  auto wait = [](Loop& loop, Scope& scope) -> Task<void> {
    while (scope.running() > 0) co_await loop.sleep(milliseconds(1));
  };
  run(wait(loop(), visitors));
}
TEST_P(NetworkSuite, APortMayBeListenedOnAgain) {
  Address at{harness->server_ip(), 0};
  for (int i = 0; i < 3; i++) run(listen_for_a_moment(server(), at));
}

Task<void> accept_some(Listener& listener, int& accepted) {
  for (;;) {
    Result<std::unique_ptr<Stream>> stream = co_await listener.accept();
    if (!stream) co_return;
    accepted++;
  }
}
Task<void> share_an_address(Env& env, Address& at, int& accepted, int wanted) {
  Result<std::unique_ptr<Listener>> first = env.network.listen(at);
  CO_ASSERT_OK(first);
  at.port = (*first)->local().port;
  Result<std::unique_ptr<Listener>> second = env.network.listen(at);
  CO_ASSERT_OK(second);
  Scope scope(env.loop, "acceptors");
  scope.spawn(accept_some(**first, accepted));
  scope.spawn(accept_some(**second, accepted));
  for (int i = 0; i < 5'000 && accepted < wanted; i++) co_await env.loop.sleep(milliseconds(1));
  EXPECT_EQ(accepted, wanted);
  (*first)->close();
  (*second)->close();
  co_await scope.drained();
}
Task<void> connect_often(Env& env, Address& at, int times) {
  for (int i = 0; i < 5'000 && at.port == 0; i++) co_await env.loop.sleep(milliseconds(1));
  co_await env.loop.sleep(milliseconds(1));  // the second listener is there
  for (int i = 0; i < times; i++) {
    Result<std::unique_ptr<Stream>> stream = co_await env.network.connect(at);
    CO_ASSERT_OK(stream);
    (*stream)->close();
  }
}
TEST_P(NetworkSuite, TwoListenersShareAnAddress) {
  Address at{harness->server_ip(), 0};
  int accepted = 0;
  Scope visitors(harness->client().loop, "client");
  visitors.spawn(connect_often(harness->client(), at, 40));
  run(share_an_address(server(), at, accepted, 40));
}

Task<void> send_a_file(Talk& talk, Stream& stream) {
  std::string path = talk.harness.directory() + "/segment";
  Result<std::unique_ptr<File>> opened = co_await talk.server.disk.open(path, OpenMode::create);
  CO_ASSERT_OK(opened);
  File& file = **opened;
  Bytes whole(talk.sent);
  std::span<const Bytes> parts(&whole, 1);
  Result<size_t> written = co_await file.write_at(parts, 0);
  CO_ASSERT_OK(written);
  int64_t size = file.size();
  Text header("head");
  Result<size_t> n = co_await stream.send(header.parts(), true);
  CO_ASSERT_OK(n);
  for (int64_t at = 5; at < size;) {  // from the middle to the end, asking for more than there is
    n = co_await stream.send_file(file, at, talk.sent.size() + 1'000);
    CO_ASSERT_OK(n);
    CO_ASSERT(*n > 0);
    at += static_cast<int64_t>(*n);
  }
  for (int64_t at : {size, size + 1, size + 1'000'000}) {
    n = co_await stream.send_file(file, at, 100);
    CO_ASSERT_OK(n);
    EXPECT_EQ(*n, 0u) << "nothing is there at " << at;
  }
  n = co_await stream.send_file(file, 0, 0);
  EXPECT_TRUE(n && *n == 0);
  Text tail("grown");
  written = co_await file.write_at(tail.parts(), size);
  CO_ASSERT_OK(written);
  for (int64_t at = size; at < size + 5;) {
    n = co_await stream.send_file(file, at, 100);
    CO_ASSERT_OK(n);
    CO_ASSERT(*n > 0);
    at += static_cast<int64_t>(*n);
  }
  stream.shutdown_send();
  co_await talk.until(talk.server.loop, 1);
}
Task<void> receive_a_file(Talk& talk, Stream& stream) {
  co_await receive(stream, talk.received, SIZE_MAX, 10'000);
  talk.reach(1);
}
void expect_file(const Talk& talk) {
  std::vector<uint8_t> wanted{'h', 'e', 'a', 'd'};
  wanted.insert(wanted.end(), talk.sent.begin() + 5, talk.sent.end());
  for (char c : std::string_view("grown")) wanted.push_back(static_cast<uint8_t>(c));
  EXPECT_TRUE(talk.received == wanted) << talk.received.size() << " against " << wanted.size();
}
TEST_P(NetworkSuite, SendFileSendsWhatTheFileHasAndNoMore) {
  talk.sent = pattern(10'000);
  talk.run(&send_a_file, &receive_a_file);
  expect_file(talk);
}
TEST_P(NetworkSuite, SendFileOfMoreThanTheSocketHolds) {
  talk.sent = pattern(9 << 20);
  talk.run(&send_a_file, &receive_a_file);
  expect_file(talk);
}

Task<void> echo_once(Listener& listener) {
  Result<std::unique_ptr<Stream>> stream = co_await listener.accept();
  CO_ASSERT_OK(stream);
  std::vector<uint8_t> got;
  co_await receive(**stream, got, 5, 16);
  co_await send_all(**stream, got);
  (*stream)->close();
}
Task<void> talk_over_ipv6(Env& env, bool& available) {
  Address at{*IpAddress::parse("::1"), 0};
  Result<std::unique_ptr<Listener>> listener = env.network.listen(at);
  available = listener.has_value();
  if (!available) co_return;
  at.port = (*listener)->local().port;
  EXPECT_EQ((*listener)->local(), at);
  Scope scope(env.loop, "echo");
  scope.spawn(echo_once(**listener));
  Result<std::unique_ptr<Stream>> stream = co_await env.network.connect(at);
  CO_ASSERT_OK(stream);
  EXPECT_TRUE((*stream)->local().ip.v6);
  Text hello("hello");
  co_await send_all(**stream, hello.part);
  std::vector<uint8_t> got;
  co_await receive(**stream, got, SIZE_MAX, 16);
  EXPECT_EQ(as_text(got), "hello");
  (*stream)->close();
  co_await scope.drained();
}
TEST_P(NetworkSuite, Ipv6WorksWhereItExists) {
  bool available = false;
  run(talk_over_ipv6(server(), available));
  if (!available) GTEST_SKIP() << "this world has no ::1";
}

Task<void> resolve_number(Env& env) {
  std::string number = "10.1.2.3";
  Result<std::vector<IpAddress>> found = co_await env.network.resolve(number);
  CO_ASSERT_OK(found);
  CO_ASSERT(found->size() == 1);
  EXPECT_EQ(found->front(), IpAddress::v4(10, 1, 2, 3));
}
TEST_P(NetworkSuite, ANumberResolvesToItself) { run(resolve_number(server())); }

}  // namespace
}  // namespace moldau::host
