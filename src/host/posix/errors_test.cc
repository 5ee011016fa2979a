#include "host/posix/errors.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace moldau::host::posix {
namespace {

TEST(Errors, WhatCallersActOnIsTold) {
  struct Case {
    int error;
    Errc code;
  };
  for (Case c : {Case{EPIPE, Errc::closed},
                 {ECONNRESET, Errc::reset},
                 {ECONNREFUSED, Errc::refused},
                 {ETIMEDOUT, Errc::timed_out},
                 {EHOSTUNREACH, Errc::unreachable},
                 {EADDRINUSE, Errc::address_in_use},
                 {ENOENT, Errc::not_found},
                 {EEXIST, Errc::already_exists},
                 {ENOTEMPTY, Errc::invalid},
                 {ENOSPC, Errc::no_space},
                 {EDQUOT, Errc::no_space},
                 {EMFILE, Errc::exhausted},
                 {EACCES, Errc::permission},
                 {EROFS, Errc::permission},
                 {EIO, Errc::io},
                 {EAGAIN, Errc::busy}})
    EXPECT_EQ(errc_of(c.error), c.code) << text_of(c.error);
}

TEST(Errors, TheUnknownIsABrokenDisk) {
  EXPECT_EQ(errc_of(99'999), Errc::io);
  EXPECT_STREQ(text_of(99'999), "unknown system error");
  EXPECT_STREQ(text_of(ENOSPC), "No space left on device");
}

TEST(Errors, EndAnOperation) {
  Op op;
  EXPECT_TRUE(fail_with(op, ENOSPC));
  Result<size_t> taken = op.take_count();
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().to_string(), "no_space: No space left on device");
}

}  // namespace
}  // namespace moldau::host::posix
