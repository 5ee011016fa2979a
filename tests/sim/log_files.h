// Looks at the files of a simulated data directory and compares them with the models of its logs:
// what is promised is on stable storage, the checkpoints claim no more than that, and the index and
// epoch files of what recovery will not look at agree with the batches.
#pragma once
#include <string>

#include "log/checkpoint.h"
#include "log_model.h"
#include "sim/disk_image.h"

namespace moldau::logsim {

enum class Layer : uint8_t { visible, durable };

// A partition's directory on a simulated disk.
class LogFiles {
 public:
  // path: of the partition ("data0/river-0"). All of it outlives this.
  LogFiles(const sim::DiskImage& image, std::string path, LogModel& model)
      : image_(image), path_(std::move(path)), model_(model) {}

  // Every batch below `end` is in the layer, byte for byte.
  void check_batches(Layer layer, Offset end) const;
  // The segments hold the model's batches and not a byte more. For a log with nothing to write.
  void check_exact() const;
  // Where the batches begin that are there.
  std::vector<Offset> bases() const;
  // Index files of the segments that end at or below `point`, and the epochs that began below it:
  // what recovery from this point believes.
  void check_derived(Layer layer, Offset point) const;

 private:
  struct Part {
    Offset base;
    std::vector<uint8_t> bytes;
  };
  std::vector<Part> segments(Layer layer) const;
  Result<std::vector<uint8_t>> read(Layer layer, const std::string& name) const;
  void check_segment(Layer layer, const Part& part, Offset end, Offset point) const;
  void check_offsets(const Part& part, Bytes index) const;
  void check_times(const Part& part, Bytes index) const;
  void check_epochs(Layer layer, Offset point) const;
  void check_transactions(Layer layer, Offset base, Offset end) const;
  void check_snapshots(Layer layer, Offset point) const;

  const sim::DiskImage& image_;
  const std::string path_;
  LogModel& model_;
};

// recovery-point-offset-checkpoint of a data directory. Corrupt: reported with the model.
log::OffsetCheckpoint recovery_points(const sim::DiskImage& image, const std::string& directory,
                                      Layer layer, sim::Findings& findings);

}  // namespace moldau::logsim
