#include "base/list.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace moldau {
namespace {

struct Node : ListNode {
  explicit Node(char c) : name(c) {}
  char name;
};

std::string names(const List<Node>& list) {
  std::string out;
  for (Node* n = list.front(); n; n = list.next(*n)) out += n->name;
  return out;
}

TEST(List, KeepsTheOrderOfItsNodes) {
  List<Node> list;
  EXPECT_TRUE(list.empty());
  EXPECT_EQ(list.front(), nullptr);
  EXPECT_EQ(list.pop_front(), nullptr);
  Node a('a'), b('b'), c('c');
  list.push_back(a);
  list.push_back(b);
  list.push_back(c);
  EXPECT_EQ(names(list), "abc");
  EXPECT_EQ(list.pop_front(), &a);
  EXPECT_FALSE(a.linked());
  EXPECT_TRUE(b.linked());
  list.push_back(a);
  EXPECT_EQ(names(list), "bca");
}

TEST(List, ForgetsANodeThatDies) {
  List<Node> list;
  Node a('a'), c('c');
  list.push_back(a);
  {
    Node b('b');
    list.push_back(b);
    list.push_back(c);
    EXPECT_EQ(names(list), "abc");
  }
  EXPECT_EQ(names(list), "ac");
  c.unlink();
  c.unlink();  // a second time does nothing
  a.unlink();
  EXPECT_TRUE(list.empty());
}

TEST(List, LetsItsNodesGoWhenItDies) {
  Node a('a'), b('b');
  {
    List<Node> list;
    list.push_back(a);
    list.push_back(b);
  }
  EXPECT_FALSE(a.linked());
  EXPECT_FALSE(b.linked());
  List<Node> next;
  next.push_back(b);
  EXPECT_EQ(names(next), "b");
}

}  // namespace
}  // namespace moldau
