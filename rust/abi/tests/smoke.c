/* A C program that uses the header. Built with -Wall -Wextra -Werror and run by tests/c.rs. */
#include <stdio.h>
#include <string.h>

#include "sluice.h"

#define EXPECT(condition)                                                   \
  do {                                                                      \
    if (!(condition)) {                                                     \
      uint8_t why[256];                                                     \
      int32_t n = sluice_library_last_error(why, sizeof why);                       \
      fprintf(stderr, "line %d: %s: %.*s\n", __LINE__, #condition, (int)n,  \
              (const char *)why);                                           \
      return 1;                                                             \
    }                                                                       \
  } while (0)

int main(void) {
  static const char name[] = "o200k_base";
  static const char text[] = "Hello, world!";
  uint32_t ids[16];
  uint8_t bytes[32];

  EXPECT(sluice_library_abi_hash() > 0);
  EXPECT(sluice_library_version(bytes, sizeof bytes) > 0);

  int32_t opened = sluice_tokenizer_open((const uint8_t *)name, sizeof name - 1);
  EXPECT(opened > 0);
  uint32_t tokenizer = (uint32_t)opened;

  EXPECT(sluice_tokenizer_count(tokenizer, (const uint8_t *)text, sizeof text - 1,
                                SLUICE_SPECIAL_TEXT) == 4);
  EXPECT(sluice_tokenizer_encode(tokenizer, (const uint8_t *)text, sizeof text - 1,
                                 SLUICE_SPECIAL_TEXT, ids, 16) == 4);
  EXPECT(ids[0] == 13225 && ids[1] == 11 && ids[2] == 2375 && ids[3] == 0);
  EXPECT(sluice_tokenizer_decode(tokenizer, ids, 4, bytes, sizeof bytes) ==
         (int32_t)sizeof text - 1);
  EXPECT(memcmp(bytes, text, sizeof text - 1) == 0);

  double details[SLUICE_ERROR_DETAILS];
  ids[1] = 4000000000u;
  EXPECT(sluice_tokenizer_decode(tokenizer, ids, 4, bytes, sizeof bytes) ==
         SLUICE_STATUS_UNKNOWN_TOKEN);
  EXPECT(sluice_library_last_error_detail(details, SLUICE_ERROR_DETAILS) == SLUICE_ERROR_DETAILS);
  EXPECT(details[SLUICE_ERROR_DETAIL_TOKEN_ID] == 4000000000.0);
  EXPECT(details[SLUICE_ERROR_DETAIL_TOKEN_INDEX] == 1);
  EXPECT(details[SLUICE_ERROR_DETAIL_BYTE_OFFSET] != details[SLUICE_ERROR_DETAIL_BYTE_OFFSET]);

  static const double settings[] = {
      [SLUICE_POOL_SETTING_MAX_IN_FLIGHT] = 9,
      [SLUICE_POOL_SETTING_QUEUE_MAX] = 9,
      [SLUICE_POOL_SETTING_QUEUE_AGING_MS] = 5000,
      [SLUICE_POOL_SETTING_LEASE_TTL_MS] = 60000,
      [SLUICE_POOL_SETTING_CLAIM_MS] = 1000,
      [SLUICE_POOL_SETTING_HEALTH_FAILURES] = 5,
      [SLUICE_POOL_SETTING_HEALTH_FAILURE_RATE] = 0.5,
      [SLUICE_POOL_SETTING_HEALTH_MIN_RESULTS] = 20,
      [SLUICE_POOL_SETTING_HEALTH_WINDOW_MS] = 10000,
      [SLUICE_POOL_SETTING_HEALTH_COOLDOWN_MS] = 30000,
      [SLUICE_POOL_SETTING_HEALTH_MAX_EJECTED] = 0.5,
      [SLUICE_POOL_SETTINGS + SLUICE_POOL_UPSTREAM_SETTING_MAX_IN_FLIGHT] = 1,
      [SLUICE_POOL_SETTINGS + SLUICE_POOL_UPSTREAM_SETTING_WEIGHT] = 1,
      [SLUICE_POOL_SETTINGS + SLUICE_POOL_UPSTREAM_SETTING_ID_BYTES] = 1};
  opened = sluice_pool_open((const uint8_t *)name, sizeof name - 1, settings,
                            SLUICE_POOL_SETTINGS + SLUICE_POOL_UPSTREAM_SETTINGS,
                            (const uint8_t *)"a", 1);
  EXPECT(opened > 0);
  uint32_t pool = (uint32_t)opened;
  double lease = sluice_lease_acquire(pool, -1, 0, -1);
  EXPECT(lease >= SLUICE_LEASE_NEWS && lease < SLUICE_LEASE_WAITER);
  EXPECT(sluice_upstream_id(pool, 0, bytes, sizeof bytes) == 1 + SLUICE_UPSTREAM_NEWS && bytes[0] == 'a');
  EXPECT(sluice_lease_acquire(pool, -1, 0, -1) == 0);
  EXPECT(sluice_lease_release(pool, lease - SLUICE_LEASE_NEWS, SLUICE_LEASE_OK, 0) == 0);
  EXPECT(sluice_lease_release(pool, lease - SLUICE_LEASE_NEWS, SLUICE_LEASE_OK, 0) ==
         SLUICE_STATUS_STALE_LEASE);
  EXPECT(sluice_pool_close(pool) == 0);
  static const char names[] = "smoke\0rpm\0requests";
  static const double config[] = {10, 60000, 1, 1, SLUICE_LIMIT_RATE, 0, 2, 60000, 2, 0, 0, 0};
  int32_t limiter = sluice_limiter_open((const uint8_t *)names, sizeof names - 1, config,
                                        sizeof config / sizeof *config, SLUICE_CLOCK_PRECISE);
  EXPECT(limiter > 0);
  double key = sluice_limiter_key((uint32_t)limiter, (const uint8_t *)name, sizeof name - 1);
  EXPECT(key >= 0);
  EXPECT(sluice_limiter_take((uint32_t)limiter, key, 1, 0, 0, 0) == 0);
  double parts[] = {limiter, key, 1};
  EXPECT(sluice_limiter_reserve(parts, 3, 1000) == 0);
  EXPECT(sluice_limiter_take((uint32_t)limiter, key, 1, 0, 0, 0) > 0);
  EXPECT(sluice_reservation_end((uint32_t)limiter, parts[0], SLUICE_SETTLE_NOTHING, 0, 0) == 0);
  EXPECT(sluice_limiter_take((uint32_t)limiter, key, 1, 0, 0, 0) == 0);
  EXPECT(sluice_limiter_close((uint32_t)limiter) == 0);

  EXPECT(sluice_tokenizer_close(tokenizer) == 0);
  EXPECT(sluice_tokenizer_close(tokenizer) == SLUICE_STATUS_INVALID_HANDLE);
  EXPECT(sluice_library_last_error(bytes, sizeof bytes) > 0);
  return 0;
}
