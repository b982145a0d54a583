#include "cipher_context.h"

#include <openssl/evp.h>

namespace hbk::crypto {

void FreeCipherContext::operator()(evp_cipher_ctx_st* context) const {
  EVP_CIPHER_CTX_free(context);
}

}  // namespace hbk::crypto
