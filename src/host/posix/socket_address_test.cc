#include "host/posix/socket_address.h"

#include <gtest/gtest.h>

namespace moldau::host::posix {
namespace {

TEST(SocketAddress, ComesBackAsItWent) {
  for (const char* text : {"0.0.0.0", "10.1.2.3", "::", "::1", "2001:db8::1:2"}) {
    Address address{*IpAddress::parse(text), 9092};
    EXPECT_EQ(SocketAddress(address).address(), address) << text;
  }
}

TEST(SocketAddress, Ipv4InIpv6ClothesIsIpv4) {
  Address mapped{*IpAddress::parse("::ffff:a01:203"), 9092};
  EXPECT_EQ(SocketAddress(mapped).address(), (Address{IpAddress::v4(10, 1, 2, 3), 9092}));
}

TEST(SocketAddress, OtherFamiliesAreNoAddress) {
  SocketAddress none;
  none.storage.ss_family = AF_UNIX;
  EXPECT_EQ(none.address(), Address{});
  EXPECT_EQ(local_address(-1), Address{});
}

}  // namespace
}  // namespace moldau::host::posix
