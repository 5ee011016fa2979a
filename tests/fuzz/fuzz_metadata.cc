// Any bytes as records of the metadata log, each with its size in two bytes before it. What is
// taken makes an image whose records make an image with the same records.
#include "base/check.h"
#include "metadata/loader.h"
#include "wire/record_batch.h"

namespace moldau::metadata {
namespace {

void replay(Bytes in) {
  Delta delta{Image()};
  while (in.size() >= 2) {
    size_t size = std::min<size_t>(load_be<uint16_t>(in.data()), in.size() - 2);
    if (!delta.replay(in.subspan(2, size))) return;
    in = in.subspan(2 + size);
  }
  Image image = delta.finish({});
  auto records = image_records(image);
  Delta again{Image()};
  for (const auto& record : records) {
    Result<void> done = again.replay(record);
    CHECK(done, "{}", done.error().to_string());
  }
  CHECK(image_records(again.finish({})) == records);
}

void follow(Bytes in) {
  Loader loader;
  wire::BatchWalk walk(in, wire::BatchWalk::Torn::tolerate);
  while (walk.next())
    if (!loader.add(walk.batch())) return;
  CHECK(loader.in_transaction() || loader.image().at.next == loader.next());
}

}  // namespace
}  // namespace moldau::metadata

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  moldau::metadata::replay(moldau::Bytes(data, size));
  moldau::metadata::follow(moldau::Bytes(data, size));
  return 0;
}
