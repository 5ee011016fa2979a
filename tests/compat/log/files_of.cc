#include "files_of.h"

#include <filesystem>
#include <fstream>
#include <iterator>

namespace moldau::log {

namespace fs = std::filesystem;

bool load_files(TestDisk& disk, const std::string& directory, const std::string& real) {
  disk.directories.insert(directory);
  bool any = false;
  for (const auto& entry : fs::directory_iterator(real)) {
    if (!entry.is_regular_file()) continue;
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

bool load_tree(TestDisk& disk, const std::string& directory, const std::string& real) {
  if (!fs::is_directory(real)) return false;
  load_files(disk, directory, real);
  for (const auto& entry : fs::directory_iterator(real))
    if (entry.is_directory())
      load_files(disk, directory + "/" + entry.path().filename().string(), entry.path());
  return true;
}

bool store_tree(const TestDisk& disk, const std::string& directory, const std::string& real) {
  for (const auto& entry : fs::recursive_directory_iterator(real)) {
    std::string path = directory + "/" + fs::relative(entry.path(), real).string();
    if (entry.is_regular_file() && !disk.names.contains(path)) fs::remove(entry.path());
  }
  for (const auto& [path, inode] : disk.names) {
    if (!path.starts_with(directory)) continue;
    fs::path to = real + path.substr(directory.size());
    fs::create_directories(to.parent_path());
    std::ofstream out(to, std::ios::binary);
    out.write(reinterpret_cast<const char*>(inode->data.data()), std::ssize(inode->data));
    if (!out) return false;
  }
  return true;
}

}  // namespace moldau::log
