#include "host/posix/errors.h"

#include <string.h>

#include <cerrno>

namespace moldau::host::posix {

Errc errc_of(int error) {
  switch (error) {
    case EPIPE:
    case ENOTCONN:
      return Errc::closed;
    case ECANCELED:
      return Errc::cancelled;
    case ETIMEDOUT:
      return Errc::timed_out;
    case ECONNRESET:
    case ECONNABORTED:
      return Errc::reset;
    case ECONNREFUSED:
      return Errc::refused;
    case ENETUNREACH:
    case ENETDOWN:
    case EHOSTUNREACH:
    case EHOSTDOWN:
    case EADDRNOTAVAIL:
      return Errc::unreachable;
    case EADDRINUSE:
      return Errc::address_in_use;
    case ENOENT:
      return Errc::not_found;
    case EEXIST:
      return Errc::already_exists;
    case EINVAL:
    case ENOTDIR:
    case EISDIR:
    case ENOTEMPTY:
    case ENAMETOOLONG:
    case ELOOP:
    case EXDEV:
    case ESPIPE:
    case EBADF:
      return Errc::invalid;
    case EFBIG:
      return Errc::too_large;
    case EAFNOSUPPORT:
    case EOPNOTSUPP:
    case ENOSYS:
      return Errc::unsupported;
    case ENOSPC:
    case EDQUOT:
      return Errc::no_space;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENOBUFS:
      return Errc::exhausted;
    case EACCES:
    case EPERM:
    case EROFS:
      return Errc::permission;
    case EAGAIN:
    case EBUSY:
    case ETXTBSY:
      return Errc::busy;
    default:
      return Errc::io;
  }
}

const char* text_of(int error) {
  const char* text = ::strerrordesc_np(error);
  return text ? text : "unknown system error";
}

}  // namespace moldau::host::posix
