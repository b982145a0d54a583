// Runs ahead of others on the CPU: for what somebody waits for, under a lock or in a race with the
// server's log. The whole machine is better off if it is over soon.
//
// Of the calling thread, and of those that it starts meanwhile. Needs a right that only root has;
// without it everything runs as it is.
//
// Threads  Made and ended by the same one.
#pragma once

namespace hbk::backup {

class Urgency {
 public:
  Urgency();
  ~Urgency();
  Urgency(const Urgency&) = delete;
  Urgency& operator=(const Urgency&) = delete;

  // Whether the system granted it.
  [[nodiscard]] bool is_granted() const { return is_granted_; }

 private:
  int nice_before_ = 0;
  bool is_granted_ = false;
};

}  // namespace hbk::backup
