#include "wire/apis.h"

namespace moldau::wire {

const ApiInfo* find_api(int16_t key) {
  for (const ApiInfo& api : all_apis())
    if (static_cast<int16_t>(api.key) == key) return &api;
  return nullptr;
}

}  // namespace moldau::wire
