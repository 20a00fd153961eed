#pragma once

#include <cassert>

namespace proxyd::http2 {

// Where an object hangs in a list; it leaves the list when it is destroyed.
class Link {
 public:
  Link() = default;
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;
  ~Link() { unlink(); }

  bool linked() const { return next_ != nullptr; }
  void unlink() {
    if (!next_) return;
    previous_->next_ = next_;
    next_->previous_ = previous_;
    previous_ = next_ = nullptr;
  }

 private:
  template <class Item, int number>
  friend class IntrusiveList;
  Link* previous_ = nullptr;
  Link* next_ = nullptr;
};

// One of the links of an object that hangs in several lists.
template <int number>
class NumberedLink : public Link {};

// Objects that have a NumberedLink<number>, in the order they were appended. Owns none of them; must be empty, or they
// dead, when it is destroyed.
template <class Item, int number>
class IntrusiveList {
 public:
  IntrusiveList() { end_.previous_ = end_.next_ = &end_; }
  IntrusiveList(const IntrusiveList&) = delete;
  IntrusiveList& operator=(const IntrusiveList&) = delete;
  ~IntrusiveList() {
    while (Item* item = front()) link_of(*item).unlink();
    end_.previous_ = end_.next_ = nullptr;
  }

  bool empty() const { return end_.next_ == &end_; }
  Item* front() const { return empty() ? nullptr : item_of(end_.next_); }
  Item* after(Item& item) const {
    Link* next = link_of(item).next_;
    return next == &end_ ? nullptr : item_of(next);
  }
  // Nothing when it hangs in this list already.
  void append(Item& item) {
    Link& link = link_of(item);
    if (link.linked()) return;
    link.previous_ = end_.previous_;
    link.next_ = &end_;
    end_.previous_->next_ = &link;
    end_.previous_ = &link;
  }
  void remove(Item& item) { link_of(item).unlink(); }
  // Of an item that hangs in no other list of this number.
  bool holds(Item& item) const { return link_of(item).linked(); }

 private:
  static Link& link_of(Item& item) { return static_cast<NumberedLink<number>&>(item); }
  static Item* item_of(Link* link) { return static_cast<Item*>(static_cast<NumberedLink<number>*>(link)); }

  Link end_;
};

}   // namespace proxyd::http2
