# Compiler and flags of the five presets: release, debug, asan, tsan, fuzz.
if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang" OR CMAKE_CXX_COMPILER_VERSION VERSION_LESS 19)
  message(FATAL_ERROR "Moldau is compiled with Clang 19 or newer: GCC 12 miscompiles ordinary coroutines "
    "(docs/decisions/0012-runtime.md), so it is refused. Install clang-19, or run ./dev setup. "
    "Found: ${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}")
endif()

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(MOLDAU_FLAVOR "release" CACHE STRING "release, debug, asan, tsan or fuzz")
option(MOLDAU_WERROR "Warnings are errors" OFF)

add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor
  -Woverloaded-virtual -Wimplicit-fallthrough -Wno-missing-field-initializers -Wno-c99-extensions
  -Wthread-safety -fcolor-diagnostics -fno-omit-frame-pointer -ffile-prefix-map=${CMAKE_SOURCE_DIR}/= -ffile-compilation-dir=.)
if(MOLDAU_WERROR)
  add_compile_options(-Werror)
endif()
# Errors are values (docs/decisions, STYLE.md): nothing of ours throws. A test that needs a throwing library says so.
add_compile_options($<$<NOT:$<BOOL:$<TARGET_PROPERTY:MOLDAU_EXCEPTIONS>>>:-fno-exceptions>)
add_link_options(-fuse-ld=lld)

if(MOLDAU_FLAVOR STREQUAL "release")
  add_compile_options(-O2 -g1 -fstack-protector-strong -fstack-clash-protection -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3
    -D_GLIBCXX_ASSERTIONS -fPIE)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64")
    add_compile_options(-fcf-protection)
  elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64")
    add_compile_options(-mbranch-protection=standard)
  endif()
  add_link_options(-pie -Wl,-z,relro,-z,now -Wl,-z,noexecstack -Wl,--gc-sections -Wl,--icf=safe)
  add_compile_options(-ffunction-sections -fdata-sections)
else()
  # Everything but the release can plant the bugs that the simulator must find (src/base/bug.h).
  add_compile_definitions(MOLDAU_PLANTED_BUGS=1)
  if(MOLDAU_FLAVOR STREQUAL "debug")
    add_compile_options(-O1 -g1 -D_GLIBCXX_ASSERTIONS)
  elseif(MOLDAU_FLAVOR MATCHES "^(asan|fuzz)$")
    # The same objects: ccache gives the second of the two what the first has compiled. Only linking differs.
    add_compile_options(-O1 -g1 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize=vptr -fno-sanitize-recover=all)
    add_link_options(-fsanitize=address,undefined)
  elseif(MOLDAU_FLAVOR STREQUAL "tsan")
    add_compile_options(-O1 -g1 -fsanitize=thread)
    add_link_options(-fsanitize=thread)
  else()
    message(FATAL_ERROR "unknown MOLDAU_FLAVOR '${MOLDAU_FLAVOR}'")
  endif()
endif()
