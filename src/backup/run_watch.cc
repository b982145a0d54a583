#include "run_watch.h"

#include <chrono>
#include <future>
#include <thread>

namespace hbk::backup {

namespace {

constexpr std::chrono::milliseconds kCheckInterval{100};

}  // namespace

Status RunWatch::Run(const std::function<Status(std::stop_token)>& work) {
  HBK_RETURN_IF_ERROR(Check());
  std::stop_source halt;
  std::packaged_task<Status()> task([&work, &halt] { return work(halt.get_token()); });
  std::future<Status> done = task.get_future();
  std::jthread worker(std::move(task));
  Status reason;
  while (done.wait_for(kCheckInterval) != std::future_status::ready) {
    if (!reason.ok()) continue;
    reason = Check();
    if (!reason.ok()) halt.request_stop();
  }
  const Status result = done.get();
  return reason.ok() ? result : reason;
}

Status RunWatch::Check() {
  if (stop_.stop_requested()) return InterruptedError();
  return check_();
}

}  // namespace hbk::backup
