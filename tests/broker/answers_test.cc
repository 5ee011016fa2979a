// Metadata, CreateTopics, DeleteTopics, ListOffsets, InitProducerId: row by row what Apache
// Kafka 4.3.1 answers, but for what the top of each handler says.
#include "broker_world.h"

namespace moldau::broker {
namespace {

struct Answers : testing::Test {
  BrokerWorld world;
  std::unique_ptr<Client> client;
  void SetUp() override {
    world.start();
    client = std::make_unique<Client>(world);
  }
  void TearDown() override { client.reset(); }
  std::vector<TopicError> create(const std::vector<NewTopic>& topics, int32_t timeout_ms = 1000,
                                 bool validate_only = false) {
    return read_created(
        client->call(api::kCreateTopics, 4, create_request(topics, timeout_ms, validate_only)));
  }
  TopicError create_one(const NewTopic& topic) {
    auto made = create({topic});
    return made.size() == 1 ? made[0] : TopicError{"(none)", -2, ""};
  }
  std::vector<TopicError> remove(const std::vector<Doomed>& topics) {
    return read_deleted(client->call(api::kDeleteTopics, 6, delete_request(topics), true));
  }
  // Version 12, flexible: the topic's id.
  Uuid id_of(const std::string& topic) {
    Out out;
    out.count(2).uuid({}).compact(topic).count(0).i8(0).i8(0).count(0);
    In in = client->call(api::kMetadata, 12, out.bytes(), true);
    in.i32();
    EXPECT_EQ(in.count(), 2u);
    in.i32();
    in.compact();
    in.i32();
    in.compact();
    in.count();
    in.compact();
    in.i32();
    EXPECT_EQ(in.count(), 2u);
    EXPECT_EQ(in.i16(), 0);
    EXPECT_EQ(in.compact(), topic);
    return in.uuid();
  }
};
using Errors = std::vector<TopicError>;

TEST_F(Answers, MetadataNamesTheBrokerAndTheCluster) {
  ClusterInfo info = read_metadata(client->call(api::kMetadata, 8, metadata_request({}, false)));
  EXPECT_EQ(info.host, world.node.ip().to_string());
  EXPECT_EQ(info.port, 9092);
  EXPECT_EQ(info.controller, 1);
  EXPECT_EQ(info.cluster_id, world.server->cluster_id());
  EXPECT_TRUE(info.topics.empty());
}

TEST_F(Answers, MetadataOfAllTopicsOfSomeAndOfOneTwice) {
  client->create("b", 2);
  client->create("a");
  ClusterInfo all = read_metadata(client->call(api::kMetadata, 8, metadata_request_all()));
  ASSERT_EQ(all.topics.size(), 2u);
  EXPECT_EQ(all.topics[1].name, "b");
  EXPECT_EQ(all.topics[1].leaders, (std::vector<int32_t>{1, 1}));
  ClusterInfo twice =
      read_metadata(client->call(api::kMetadata, 8, metadata_request({"a", "a", "nobody"}, false)));
  ASSERT_EQ(twice.topics.size(), 2u);
  EXPECT_EQ(twice.topics[1].error, 3);
}

TEST_F(Answers, MetadataMakesTopicsOnRequest) {
  EXPECT_EQ(client->metadata("new", false).error, 3);
  TopicInfo made = client->metadata("new", true);
  EXPECT_EQ(made.error, 0);
  EXPECT_EQ(made.leaders.size(), 1u);
  EXPECT_EQ(client->produce("new").base, 0) << "at once";
  client->create("col_lision");
  EXPECT_EQ(client->metadata("col.lision", true).error, 3);
  for (const char* bad : {"", ".", "..", "bad name", "a/b", "k\xc3\xa4se"}) {
    EXPECT_EQ(client->metadata(bad, true).error, 17) << bad;
    EXPECT_EQ(client->metadata(bad, false).error, 17) << bad;
  }
  EXPECT_EQ(client->metadata(std::string(250, 'x'), true).error, 17);
}

TEST_F(Answers, MetadataManyClientsMakingOneTopicAllGetIt) {
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 8; i++) {
    clients.push_back(std::make_unique<Client>(world));
    clients.back()->send(api::kMetadata, 8, metadata_request({"new"}, true));
  }
  for (auto& one : clients) {
    std::optional<In> reply = one->reply();
    ASSERT_TRUE(reply);
    int16_t error = read_metadata(*reply).topics.at(0).error;
    EXPECT_TRUE(error == 0 || error == 3) << error;
  }
  EXPECT_EQ(client->metadata("new").error, 0);
  EXPECT_EQ(world.server->partitions(), 1u);
}

TEST_F(Answers, MetadataMakesNoTopicsIfTheBrokerDoesNotWantIt) {
  client.reset();
  ASSERT_TRUE(world.stop());
  world.config.auto_create_topics = false;
  world.start();
  client = std::make_unique<Client>(world);
  EXPECT_EQ(client->metadata("new", true).error, 3);
}

TEST_F(Answers, MetadataByIdBeforeItsTimeAndOfNothing) {
  auto ask = [&](int16_t version, std::optional<std::string> name) {
    Out out;
    out.count(2).uuid({});
    if (name)
      out.compact(*name);
    else
      out.count(0);
    out.count(0).i8(0);
    if (version <= 10) out.i8(0);
    In in = client->call(api::kMetadata, version, out.i8(0).count(0).bytes(), true);
    in.raw(4);
    for (size_t n = in.count(); n > 1; n--) {
      in.i32();
      in.compact();
      in.i32();
      in.compact();
      in.count();
    }
    in.compact();
    in.i32();
    EXPECT_EQ(in.count(), 2u);
    int16_t error = in.i16();
    return std::pair(error, in.compact());
  };
  using Answer = std::pair<int16_t, std::optional<std::string>>;
  EXPECT_EQ(ask(10, std::nullopt), Answer(42, ""));
  EXPECT_EQ(ask(12, std::nullopt), Answer(-1, ""));
}

TEST_F(Answers, CreateTopicsInTheWordsOfKafka) {
  client->create("known");
  client->create("col_lision");
  EXPECT_EQ(create_one({.name = "new"}), (TopicError{"new", 0, ""}));
  EXPECT_EQ(create_one({.name = "default", .partitions = -1, .replication_factor = -1}).error, 0);
  EXPECT_EQ(create_one({.name = "known"}),
            (TopicError{"known", 36, "Topic 'known' already exists."}));
  EXPECT_EQ(create_one({.name = ""}),
            (TopicError{"", 17, "Topic name is invalid: the empty string is not allowed"}));
  EXPECT_EQ(create_one({.name = "a/b"}).message,
            "Topic name is invalid: 'a/b' contains one or more characters other than ASCII "
            "alphanumerics, '.', '_' and '-'");
  EXPECT_EQ(create_one({.name = "col.lision"}),
            (TopicError{"col.lision", 17,
                        "Topic 'col.lision' collides with existing topic: col_lision"}));
  for (int32_t count : {0, -2})
    EXPECT_EQ(
        create_one({.name = "x", .partitions = count}),
        (TopicError{"x", 37, "Number of partitions was set to an invalid non-positive value."}));
  for (int16_t factor : {int16_t{0}, int16_t{-2}})
    EXPECT_EQ(
        create_one({.name = "x", .replication_factor = factor}),
        (TopicError{"x", 38,
                    "Replication factor must be larger than 0, or -1 to use the default value."}));
  EXPECT_EQ(create_one({.name = "x", .replication_factor = 2}).error, 38);
  EXPECT_EQ(create_one({.name = "x", .configs = {"no.such"}}).message,
            "Unknown topic config name: no.such");
  EXPECT_EQ(create({{.name = "x"}}, 0), (Errors{{"x", 7, ""}}));
  EXPECT_EQ(create({{.name = "x"}, {.name = "x"}}), (Errors{{"x", 42, "Duplicate topic name."}}));
  EXPECT_EQ(create({}), Errors{});
  EXPECT_EQ(client->metadata("x").error, 3) << "none of these made it";
}

TEST_F(Answers, CreateTopicsByAssignment) {
  NewTopic good{
      .name = "x", .partitions = -1, .replication_factor = -1, .assignments = {{0, {1}}, {1, {1}}}};
  NewTopic bad = good;
  bad.replication_factor = 1;
  EXPECT_EQ(
      create_one(bad).message,
      "A manual partition assignment was specified, but replication factor was not set to -1.");
  bad = good;
  bad.partitions = 2;
  EXPECT_EQ(create_one(bad).message,
            "A manual partition assignment was specified, but numPartitions was not set to -1.");
  bad = good;
  bad.assignments = {{0, {77}}};
  EXPECT_EQ(create_one(bad), (TopicError{"x", 39,
                                         "The manual partition assignment includes broker 77, but "
                                         "no such broker is registered."}));
  bad.assignments = {{0, {1}}, {2, {1}}};
  EXPECT_EQ(create_one(bad),
            (TopicError{"x", 39, "partitions should be a consecutive 0-based integer sequence"}));
  bad.assignments = {{0, {}}};
  EXPECT_EQ(
      create_one(bad),
      (TopicError{"x", 39, "The manual partition assignment includes an empty replica list."}));
  bad.assignments = {{0, {1, 1}}};
  EXPECT_EQ(create_one(bad),
            (TopicError{"x", 39,
                        "The manual partition assignment includes the broker 1 more than once."}));
  EXPECT_EQ(create_one(good).error, 0);
  EXPECT_EQ(client->metadata("x").leaders.size(), 2u);
}

TEST_F(Answers, CreateTopicsOnlyValidates) {
  EXPECT_EQ(create({{.name = "x"}}, 1000, true), (Errors{{"x", 0, ""}}));
  EXPECT_EQ(client->metadata("x").error, 3);
}

TEST_F(Answers, CreateTopicsMakesTheGoodOnesOfARequest) {
  auto made = create({{.name = "good"}, {.name = "bad", .replication_factor = 2}});
  ASSERT_EQ(made.size(), 2u);
  EXPECT_EQ(made[0].error, 0);
  EXPECT_EQ(made[1].error, 38);
}

TEST_F(Answers, CreateTopicsRefusesMoreThanTheControllerMakesAtOnce) {
  std::string text = "Excessively large number of partitions per request.";
  EXPECT_EQ(create_one({.name = "x", .partitions = INT32_MAX}), (TopicError{"x", 44, text}));
  EXPECT_EQ(create({{.name = "x", .partitions = 9'999}, {.name = "y", .partitions = 2}}),
            (Errors{{"x", 44, text}, {"y", 44, text}}));
}

TEST_F(Answers, DeleteTopicsByNameAndById) {
  for (const char* name : {"one", "two", "three"}) client->create(name);
  Uuid one = id_of("one");
  Uuid two = id_of("two");
  Uuid unknown = one;
  unknown.bytes[0] ^= 1;
  using Deleted = Errors;
  EXPECT_EQ(remove({{std::nullopt, one}}), (Deleted{{"one", 0, ""}}));
  EXPECT_EQ(remove({{std::nullopt, one}}),
            (Deleted{{"(null)", 100, "This server does not host this topic ID."}}));
  EXPECT_EQ(remove({{std::nullopt, unknown}}),
            (Deleted{{"(null)", 100, "This server does not host this topic ID."}}));
  EXPECT_EQ(remove({{"nobody", {}}}),
            (Deleted{{"nobody", 3, "This server does not host this topic-partition."}}));
  EXPECT_EQ(remove({{"", {}}}),
            (Deleted{{"", 3, "This server does not host this topic-partition."}}));
  EXPECT_EQ(remove({{std::nullopt, {}}}),
            (Deleted{{"(null)", 42, "Neither topic name nor id were specified."}}));
  EXPECT_EQ(remove({{"two", two}}),
            (Deleted{{"two", 42, "You may not specify both topic name and topic id."}}));
  EXPECT_EQ(remove({{"two", {}}, {"two", {}}}), (Deleted{{"two", 42, "Duplicate topic name."}}));
  EXPECT_EQ(remove({{std::nullopt, two}, {std::nullopt, two}}),
            (Deleted{{"(null)", 42, "Duplicate topic id."}}));
  EXPECT_EQ(
      remove({{std::nullopt, two}, {"two", {}}}),
      (Deleted{{"two", 42, "The provided topic name maps to an ID that was already supplied."}}));
  EXPECT_EQ(client->metadata("two").error, 0) << "it was not deleted by any of these";
  EXPECT_EQ(remove({{"two", {}}, {"nobody", {}}, {"three", {}}}).size(), 3u);
  EXPECT_EQ(world.server->partitions(), 0u);
  EXPECT_EQ(remove({}), Deleted{});
}

TEST_F(Answers, ListOffsetsFindsPlacesAndTimes) {
  constexpr int64_t kT = 1'700'000'000'000;
  client->create("t");
  client->create("empty");
  client->produce("t", {.records = 3, .timestamp = kT});        // 0 to 2
  client->produce("t", {.records = 3, .timestamp = kT + 100});  // 3 to 5
  client->produce("t", {.records = 1, .timestamp = kT + 300});  // 6
  client->produce("t", {.records = 1, .timestamp = kT + 200});  // 7
  FoundOffset none{0, -1, -1, -1};
  EXPECT_EQ(client->offset("t", -1), (FoundOffset{0, -1, 8, 0}));
  EXPECT_EQ(client->offset("t", -2), (FoundOffset{0, -1, 0, 0}));
  EXPECT_EQ(client->offset("empty", -1), (FoundOffset{0, -1, 0, 0}));
  EXPECT_EQ(client->offset("empty", -2), (FoundOffset{0, -1, 0, 0}));
  EXPECT_EQ(client->offset("t", 0), (FoundOffset{0, kT, 0, 0}));
  EXPECT_EQ(client->offset("t", kT + 1), (FoundOffset{0, kT + 1, 1, 0}));
  EXPECT_EQ(client->offset("t", kT + 50), (FoundOffset{0, kT + 100, 3, 0}));
  EXPECT_EQ(client->offset("t", kT + 101), (FoundOffset{0, kT + 101, 4, 0}));
  EXPECT_EQ(client->offset("t", kT + 300), (FoundOffset{0, kT + 300, 6, 0}));
  EXPECT_EQ(client->offset("t", kT + 301), none);
  EXPECT_EQ(client->offset("t", INT64_MAX), none);
  EXPECT_EQ(client->offset("empty", 0), none);
  for (int64_t later : {-3, -4, -5, -6, -7})
    EXPECT_EQ(client->offset("t", later), (FoundOffset{35, -1, -1, -1})) << later;
  EXPECT_EQ(client->offset("nobody", -1), (FoundOffset{3, -1, -1, -1}));
  EXPECT_EQ(client->offset("t", -1, 9).error, 3);
}

TEST_F(Answers, ListOffsetsRefusesWhatMakesNoSense) {
  client->create("t");
  auto ask = [&](const std::string& body) {
    return read_offset(client->call(api::kListOffsets, 5, body)).error;
  };
  EXPECT_EQ(ask(offsets_request("t", 0, -1, 0)), 0);
  EXPECT_EQ(ask(offsets_request("t", 0, -1, 99)), 75);
  EXPECT_EQ(ask(Out().i32(-1).i8(7).i32(1).text("t").i32(1).i32(0).i32(-1).i64(-1).bytes()), -1)
      << "isolation level";
  EXPECT_EQ(ask(Out()
                    .i32(-1)
                    .i8(0)
                    .i32(1)
                    .text("t")
                    .i32(2)
                    .i32(0)
                    .i32(-1)
                    .i64(-1)
                    .i32(0)
                    .i32(-1)
                    .i64(-2)
                    .bytes()),
            42)
      << "the same partition twice";
}

TEST_F(Answers, ListOffsetsOldStyle) {
  client->create("t");
  client->produce("t", {.records = 3});
  auto ask = [&](int64_t timestamp, int32_t most) {
    In in =
        client->call(api::kListOffsets, 0,
                     Out().i32(-1).i32(1).text("t").i32(1).i32(0).i64(timestamp).i32(most).bytes());
    in.i32();
    in.text();
    in.i32();
    in.i32();
    EXPECT_EQ(in.i16(), 0);
    std::vector<int64_t> out;
    for (int32_t n = in.i32(); n > 0; n--) out.push_back(in.i64());
    return out;
  };
  EXPECT_EQ(ask(-1, 1), std::vector<int64_t>{3});
  EXPECT_EQ(ask(-2, 1), std::vector<int64_t>{0});
  EXPECT_EQ(ask(-1, 10), (std::vector<int64_t>{3, 0}));
  EXPECT_EQ(ask(-1, 0), std::vector<int64_t>{});
}

TEST_F(Answers, InitProducerIdGivesEachItsOwn) {
  auto ask = [&](std::optional<std::string> transactional_id) {
    Out out;
    if (transactional_id)
      out.text(*transactional_id);
    else
      out.no_text();
    In in = client->call(api::kInitProducerId, 1, out.i32(60'000).bytes());
    in.i32();
    int16_t error = in.i16();
    int64_t id = in.i64();
    return std::tuple(error, id, in.i16());
  };
  auto [error, first, epoch] = ask(std::nullopt);
  EXPECT_EQ(error, 0);
  EXPECT_EQ(epoch, 0);
  EXPECT_EQ(std::get<1>(ask(std::nullopt)), first + 1);
  EXPECT_EQ(ask(""), std::tuple(int16_t{42}, int64_t{-1}, int16_t{-1}));
  EXPECT_EQ(ask("a transaction"), std::tuple(int16_t{15}, int64_t{-1}, int16_t{-1})) << "not yet";
  client.reset();
  world.restart();
  client = std::make_unique<Client>(world);
  EXPECT_GT(std::get<1>(ask(std::nullopt)), first + 1);
}

TEST_F(Answers, InitProducerIdWithHalfOfAnIdIsInvalid) {
  auto ask = [&](int64_t id, int16_t epoch) {
    In in = client->call(api::kInitProducerId, 3,
                         Out().count(0).i32(60'000).i64(id).i16(epoch).count(0).bytes(), true);
    in.i32();
    return in.i16();
  };
  EXPECT_EQ(ask(-1, -1), 0);
  EXPECT_EQ(ask(5, 0), 0);
  EXPECT_EQ(ask(5, -1), 42);
  EXPECT_EQ(ask(-1, 0), 42);
  EXPECT_EQ(ask(-2, -1), 42);
}

}  // namespace
}  // namespace moldau::broker
