-- What happened. One row for each event of a load that is done; read only where load <= the reader's watermark.
CREATE TABLE IF NOT EXISTS events
(
    account     UInt32,
    name        LowCardinality(String),
    contact     UInt64,                     -- 0: of a visitor; see links
    visitor     UUID,                       -- zero: of no visitor
    deal        UInt64,
    occurred_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    received_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    message_id  String CODEC(ZSTD(1)),
    journey     UInt64,
    version     UInt32,
    step        LowCardinality(String),
    enrolment   UInt64,
    visit       UInt32,
    message     UInt64,
    send        String,
    order_id    String,
    machine     UInt8,
    texts       Map(LowCardinality(String), Array(String)) CODEC(ZSTD(1)),          -- every property, flattened, as text
    numbers     Map(LowCardinality(String), Array(Decimal(38, 10))) CODEC(ZSTD(1)), -- those that are JSON numbers
    properties  String CODEC(ZSTD(1)),                                              -- as sent, JSON
    load        UInt64 CODEC(Delta, ZSTD(1)),
    position    UInt32 CODEC(Delta, ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(occurred_at)
ORDER BY (account, name, contact, visitor, occurred_at, load, position)
SETTINGS index_granularity = 1024, non_replicated_deduplication_window = 10000, fsync_after_insert = 1,
    fsync_part_directory = 1;

-- The contacts, one row for each load that touched them: as they were at a watermark is the last row until it.
-- (A ReplacingMergeTree would forget, at a merge, what a reader at an earlier watermark still has to see.)
CREATE TABLE IF NOT EXISTS profiles
(
    account          UInt32,
    contact          UInt64,
    email            String,
    phone            String,
    external_id      String,
    first_name       String,
    last_name        String,
    locale           String,
    timezone         String,
    country          String,
    city             String,
    created_at       DateTime64(3, 'UTC'),
    updated_at       DateTime64(3, 'UTC'),
    last_seen_at     Nullable(DateTime64(3, 'UTC')),
    consent_email    LowCardinality(String),
    consent_sms      LowCardinality(String),
    consent_whatsapp LowCardinality(String),
    lists            Array(UInt64),
    tags             Array(String),
    texts            Map(LowCardinality(String), Array(String)),          -- custom attributes
    numbers          Map(LowCardinality(String), Array(Decimal(38, 10))),
    gone             UInt8,                                               -- erased or merged away
    load             UInt64
)
ENGINE = MergeTree
ORDER BY (account, contact, load)
SETTINGS index_granularity = 1024, non_replicated_deduplication_window = 10000, fsync_after_insert = 1,
    fsync_part_directory = 1;

-- Which contact a visitor, or a contact merged away, is: the last row until the watermark.
CREATE TABLE IF NOT EXISTS links
(
    account UInt32,
    visitor UUID,      -- zero for a merged contact
    merged  UInt64,    -- 0 for a visitor
    contact UInt64,
    load    UInt64
)
ENGINE = MergeTree
ORDER BY (account, visitor, merged, load)
SETTINGS index_granularity = 1024, non_replicated_deduplication_window = 10000, fsync_after_insert = 1,
    fsync_part_directory = 1;

-- Entries into and exits from segments, all kept: membership at a watermark is the last word until it.
CREATE TABLE IF NOT EXISTS memberships
(
    account UInt32,
    segment UInt64,
    contact UInt64,
    member  UInt8,
    at      DateTime64(3, 'UTC'),
    load    UInt64,
    position UInt32                         -- in its load: the last word is that of the highest (load, position)
)
ENGINE = MergeTree
ORDER BY (account, segment, contact, load, position)
SETTINGS index_granularity = 1024, non_replicated_deduplication_window = 10000, fsync_after_insert = 1,
    fsync_part_directory = 1;

-- What each run of a journey did, narrow, for the figures and lists of steps.
CREATE TABLE IF NOT EXISTS runs
(
    account    UInt32,
    journey    UInt64,
    kind       Enum8('entered' = 1, 'step' = 2, 'completed' = 3, 'exited' = 4, 'parked' = 5, 'resumed' = 6, 'held_out' = 7),
    step       LowCardinality(String),
    from_step  LowCardinality(String),      -- of a step: the one that the run came from; empty at its entry
    at         DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    contact    UInt64,
    enrolment  UInt64,
    visit      UInt32,
    version    UInt32,
    entered_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    reason     LowCardinality(String),
    load       UInt64 CODEC(Delta, ZSTD(1)),
    position   UInt32
)
ENGINE = MergeTree
ORDER BY (account, journey, kind, step, at, contact)
SETTINGS index_granularity = 1024, non_replicated_deduplication_window = 10000, fsync_after_insert = 1,
    fsync_part_directory = 1;
