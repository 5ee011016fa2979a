// Refuses compilers that break coroutines. Included by everything that defines one.
#pragma once

#if !defined(__clang__) || __clang_major__ < 19
#error \
    "Moldau needs Clang 19 or newer: GCC 12 miscompiles ordinary coroutines (docs/decisions/0012-runtime.md). Run ./dev setup."
#endif
