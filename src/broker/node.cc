#include "broker/node.h"

namespace moldau::broker {

using host::Task;

std::string Node::advertised_host() const {
  if (!config.advertised_host.empty()) return config.advertised_host;
  return address.ip.is_any() ? "localhost" : address.ip.to_string();
}

Task<Result<Topic>> Node::create_topic(std::string name, int32_t count) {
  CO_TRY(topic, catalog.create(std::move(name), count));
  CO_TRY_(partitions.open(env, topic));
  co_return std::move(topic);
}

Task<Result<void>> Node::delete_topic(Topic topic) {
  CO_TRY_(catalog.remove(topic.name));
  co_return co_await partitions.remove(env, topic);
}

}  // namespace moldau::broker
