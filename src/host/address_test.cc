#include "host/address.h"

#include <gtest/gtest.h>

namespace moldau::host {
namespace {

std::string reprinted(std::string_view text) {
  Result<IpAddress> ip = IpAddress::parse(text);
  return ip ? ip->to_string() : "refused";
}

TEST(IpAddress, PrintsWhatItReads) {
  for (const char* text :
       {"0.0.0.0", "127.0.0.1", "255.255.255.255", "::", "::1", "1::", "fe80::1:2",
        "2001:db8:0:1:1:1:1:1", "1:2:3:4:5:6:7:8", "2001:db8::1:0:0:1"})
    EXPECT_EQ(reprinted(text), text);
}

TEST(IpAddress, PrintsTheShortestForm) {
  EXPECT_EQ(reprinted("0:0:0:0:0:0:0:0"), "::");
  EXPECT_EQ(reprinted("2001:0DB8:0000:0000:0001:0000:0000:0001"), "2001:db8::1:0:0:1");
  EXPECT_EQ(reprinted("1:0:0:4:0:0:0:8"), "1:0:0:4::8");
  EXPECT_EQ(reprinted("1:2:3:4:5:6:7::"), "1:2:3:4:5:6:7:0");
  EXPECT_EQ(reprinted("::2:3:4:5:6:7:8"), "0:2:3:4:5:6:7:8");
}

TEST(IpAddress, RefusesWhatIsNone) {
  for (const char* text : {"",
                           "1",
                           "1.2.3",
                           "1.2.3.4.5",
                           "1.2.3.256",
                           "1.2.3.4 ",
                           " 1.2.3.4",
                           "1..2.3",
                           "-1.2.3.4",
                           "a.b.c.d",
                           ":",
                           ":::",
                           "1:2:3:4:5:6:7",
                           "1:2:3:4:5:6:7:8:9",
                           "1:2:3:4:5:6:7:8::",
                           "::1:2:3:4:5:6:7:8",
                           "1::2::3",
                           "12345::",
                           "g::",
                           "1:2:",
                           ":1:2",
                           "localhost"})
    EXPECT_EQ(reprinted(text), "refused") << text;
}

TEST(IpAddress, KnowsTheWildcards) {
  EXPECT_TRUE(IpAddress{}.is_any());
  EXPECT_TRUE(IpAddress::any_v6().is_any());
  EXPECT_FALSE(IpAddress::v4(127, 0, 0, 1).is_any());
  EXPECT_NE(IpAddress{}, IpAddress::any_v6());
}

TEST(Address, PrintsIpv6InBrackets) {
  EXPECT_EQ((Address{IpAddress::v4(10, 0, 0, 1), 9092}.to_string()), "10.0.0.1:9092");
  EXPECT_EQ((Address{IpAddress::any_v6(), 9092}.to_string()), "[::]:9092");
}

TEST(HostPort, ReadsTheFormsThatPeopleWrite) {
  auto parse = [](std::string_view text) { return HostPort::parse(text, 9092); };
  EXPECT_EQ(*parse("kafka.example:19092"), (HostPort{"kafka.example", 19092}));
  EXPECT_EQ(*parse("kafka.example"), (HostPort{"kafka.example", 9092}));
  EXPECT_EQ(*parse(":1234"), (HostPort{"", 1234}));
  EXPECT_EQ(*parse("[::1]:1234"), (HostPort{"::1", 1234}));
  EXPECT_EQ(*parse("[::1]"), (HostPort{"::1", 9092}));
  EXPECT_EQ(*parse("h:0"), (HostPort{"h", 0}));
  EXPECT_EQ(*parse("h:65535"), (HostPort{"h", 65535}));
}

TEST(HostPort, RefusesWithTheReason) {
  auto text = [](std::string_view bad) {
    Result<HostPort> parsed = HostPort::parse(bad, 9092);
    return parsed ? "accepted" : parsed.error().text();
  };
  EXPECT_EQ(text("h:"), "'h:': '' is not a port (0 to 65535)");
  EXPECT_EQ(text("h:65536"), "'h:65536': '65536' is not a port (0 to 65535)");
  EXPECT_EQ(text("h:9x"), "'h:9x': '9x' is not a port (0 to 65535)");
  EXPECT_EQ(text("[::1"), "'[::1': no closing ']'");
  EXPECT_EQ(text("[::1]9092"), "'[::1]9092': ':' expected behind ']'");
  EXPECT_EQ(text("::1:9092"), "'::1:9092': write an IPv6 address in brackets: [::1]:9092");
}

TEST(HostPort, PrintsWhatItReads) {
  for (const char* text : {"kafka.example:19092", "[::1]:1234", ":9092"})
    EXPECT_EQ(HostPort::parse(text, 1)->to_string(), text);
}

}  // namespace
}  // namespace moldau::host
