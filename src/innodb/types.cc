#include "hbk/innodb/types.h"

namespace hbk::innodb {

std::string ToString(PageId id) {
  return std::to_string(id.space) + ":" + std::to_string(id.page);
}

}  // namespace hbk::innodb
