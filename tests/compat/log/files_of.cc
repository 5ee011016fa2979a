#include "files_of.h"

#include <filesystem>
#include <fstream>
#include <iterator>

namespace moldau::log {

bool load_files(TestDisk& disk, const std::string& directory, const std::string& real) {
  disk.directories.insert(directory);
  bool any = false;
  for (const auto& entry : std::filesystem::directory_iterator(real)) {
    std::ifstream in(entry.path(), std::ios::binary);
    auto inode = std::make_shared<TestDisk::Inode>();
    inode->data.assign(std::istreambuf_iterator<char>(in), {});
    inode->durable = inode->data;
    std::string path = directory + "/" + entry.path().filename().string();
    disk.names[path] = disk.durable_names[path] = inode;
    any = true;
  }
  return any;
}

bool store_files(const TestDisk& disk, const std::string& prefix, const std::string& real) {
  for (const auto& [path, inode] : disk.names) {
    if (!path.starts_with(prefix)) continue;
    std::filesystem::path to = real + path.substr(prefix.size());
    std::filesystem::create_directories(to.parent_path());
    std::ofstream out(to, std::ios::binary);
    out.write(reinterpret_cast<const char*>(inode->data.data()), std::ssize(inode->data));
    if (!out) return false;
  }
  return true;
}

}  // namespace moldau::log
