-- Properties and attributes lie apart by their names: a question on one of them reads that one alone. Rows just
-- inserted stay together until they are merged. (A server too old to know of this reads all of them, as before.)
-- only with the setting map_serialization_version
ALTER TABLE events MODIFY SETTING map_serialization_version = 'with_buckets', map_buckets_strategy = 'linear',
    map_buckets_min_avg_size = 0;

-- only with the setting map_serialization_version
ALTER TABLE profiles MODIFY SETTING map_serialization_version = 'with_buckets', map_buckets_strategy = 'linear',
    map_buckets_min_avg_size = 0;
