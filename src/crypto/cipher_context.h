// A cipher context of OpenSSL that is freed, and so wiped, when it goes.
#pragma once

#include <memory>

#include <openssl/evp.h>

namespace hbk::crypto {

struct FreeCipherContext {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, FreeCipherContext>;

}  // namespace hbk::crypto
