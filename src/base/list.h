// An intrusive doubly linked list. Nodes are bases of what they link (class Waiter : ListNode),
// unlink themselves in their destructor and allocate nothing; the list never owns them.
#pragma once

namespace moldau {

class ListNode {
 public:
  ListNode() = default;
  ListNode(const ListNode&) = delete;
  ListNode& operator=(const ListNode&) = delete;
  ~ListNode() { unlink(); }
  bool linked() const { return next_ != nullptr; }
  void unlink() {
    if (!next_) return;
    prev_->next_ = next_;
    next_->prev_ = prev_;
    prev_ = next_ = nullptr;
  }

 private:
  template <class T>
  friend class List;
  ListNode* prev_ = nullptr;
  ListNode* next_ = nullptr;
};

template <class T>
class List {
 public:
  List() { head_.prev_ = head_.next_ = &head_; }
  List(const List&) = delete;
  List& operator=(const List&) = delete;
  ~List() {
    while (!empty()) head_.next_->unlink();
    head_.prev_ = head_.next_ = nullptr;  // or head_ would unlink itself from itself
  }
  bool empty() const { return head_.next_ == &head_; }
  T* front() const { return empty() ? nullptr : static_cast<T*>(head_.next_); }
  // After item, or nullptr at the end. item is in this list.
  T* next(const T& item) const {
    const ListNode& node = item;
    return node.next_ == &head_ ? nullptr : static_cast<T*>(node.next_);
  }
  T* pop_front() {
    T* first = front();
    if (first) static_cast<ListNode*>(first)->unlink();
    return first;
  }
  // The node is not linked anywhere.
  void push_back(T& item) {
    ListNode& node = item;
    node.prev_ = head_.prev_;
    node.next_ = &head_;
    head_.prev_->next_ = &node;
    head_.prev_ = &node;
  }

 private:
  ListNode head_;
};

}  // namespace moldau
