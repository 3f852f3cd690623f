-- What happened. One row for each event of a load that is done; read only where load <= the reader's watermark.
CREATE TABLE events
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
SETTINGS non_replicated_deduplication_window = 10000;

-- The contacts as they are now: the last load wins.
CREATE TABLE profiles
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
ENGINE = ReplacingMergeTree(load)
ORDER BY (account, contact)
SETTINGS non_replicated_deduplication_window = 10000;

-- Which contact a visitor, or a contact merged away, is. The last load wins.
CREATE TABLE links
(
    account UInt32,
    visitor UUID,      -- zero for a merged contact
    merged  UInt64,    -- 0 for a visitor
    contact UInt64,
    load    UInt64
)
ENGINE = ReplacingMergeTree(load)
ORDER BY (account, visitor, merged)
SETTINGS non_replicated_deduplication_window = 10000;

-- Entries into and exits from segments, all kept: membership at a watermark is the last word until it.
CREATE TABLE memberships
(
    account UInt32,
    segment UInt64,
    contact UInt64,
    member  UInt8,
    at      DateTime64(3, 'UTC'),
    load    UInt64
)
ENGINE = MergeTree
ORDER BY (account, segment, contact, load)
SETTINGS non_replicated_deduplication_window = 10000;

-- What each run of a journey did, narrow, for the figures and lists of steps.
CREATE TABLE runs
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
    load       UInt64 CODEC(Delta, ZSTD(1))
)
ENGINE = MergeTree
ORDER BY (account, journey, kind, step, at, contact)
SETTINGS non_replicated_deduplication_window = 10000;
