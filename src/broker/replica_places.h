// In which of its directories a broker's replicas lie, as the cluster's metadata is to know it
// (KIP-858). With one directory the controller knows it by itself.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "metadata/controller/topics.h"

namespace moldau::log {
class LogDirs;
}

namespace moldau::broker {

using DirectoryIds = std::map<std::string, Uuid>;  // by path

// What the image does not say, or says otherwise, of the replicas of that broker. topic: of it
// alone; zero: of all.
std::vector<metadata::AssignDirectories::Place> misplaced(const metadata::Image& image,
                                                          BrokerId broker, const log::LogDirs& dirs,
                                                          const DirectoryIds& ids, Uuid topic);

}  // namespace moldau::broker
