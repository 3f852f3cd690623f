-- part: chosen_runs
-- about: A row is of the runs chosen, of one journey at a watermark.
account = {account:UInt32}
  AND journey = {journey:UInt64}
  AND load <= {load:UInt64}
  AND ({since:Int64} = 0 OR entered_at >= fromUnixTimestamp64Milli({since:Int64}))
  AND ({until:Int64} = 0 OR entered_at < fromUnixTimestamp64Milli({until:Int64}))
  AND ({version:UInt32} = 0 OR version = {version:UInt32})

-- name: journey_sums
-- about: Every sum that tells what runs did and where they are: entries, passages, ends, parked and resumed.
SELECT
    toString(kind) AS kind,
    step,
    from_step,
    reason,
    count() AS runs
FROM runs
WHERE @part(chosen_runs)
GROUP BY kind, step, from_step, reason

-- name: journey_entered_contacts
-- about: The distinct contacts who entered.
SELECT groupBitmap(@person(contact)) AS contacts
FROM runs
WHERE @part(chosen_runs)
  AND kind = 'entered'

-- name: step_passages
-- about: How many passed a step.
SELECT count() AS passages
FROM runs
WHERE @part(chosen_runs)
  AND kind = 'step'
  AND step = {step:String}

-- name: step_distinct_contacts
-- about: The passages and the distinct contacts of each of the steps named, where a contact can pass more than once.
SELECT
    step,
    count() AS passages,
    groupBitmap(@person(contact)) AS contacts
FROM runs
WHERE @part(chosen_runs)
  AND kind = 'step'
  AND step IN {steps:Array(String)}
GROUP BY step

-- name: step_sole_contacts
-- about: The contacts who passed a step that nobody passes twice, latest first, after a cursor (0, 0: the first page).
SELECT
    contact,
    1 AS passages,
    toUnixTimestamp64Milli(at) AS first_at,
    toUnixTimestamp64Milli(at) AS last_at
FROM runs
WHERE @part(chosen_runs)
  AND kind = 'step'
  AND step = {step:String}
  AND ({after_at:Int64} = 0 OR at <= fromUnixTimestamp64Milli({after_at:Int64}))
  AND ({after_at:Int64} = 0 OR
       (at, contact) < (fromUnixTimestamp64Milli({after_at:Int64}), {after_contact:UInt64}))
ORDER BY at DESC, contact DESC
LIMIT {limit:UInt32}

-- name: step_recent_passages
-- about: The latest passages of a step, after a cursor (0, 0 for the first ones), read in their order.
SELECT @person(contact) AS contact, toUnixTimestamp64Milli(at) AS at_ms
FROM runs
WHERE @part(chosen_runs)
  AND kind = 'step'
  AND step = {step:String}
  AND ({after_at:Int64} = 0 OR at <= fromUnixTimestamp64Milli({after_at:Int64}))
  AND ({after_at:Int64} = 0 OR
       (at, contact) < (fromUnixTimestamp64Milli({after_at:Int64}), {after_contact:UInt64}))
ORDER BY at DESC, contact DESC
LIMIT {limit:UInt32}

-- name: step_contact_passages
-- about: For chosen contacts: their passages of a step, the first and the last.
SELECT
    @person(contact) AS contact,
    count() AS passages,
    toUnixTimestamp64Milli(min(at)) AS first_at,
    toUnixTimestamp64Milli(max(at)) AS last_at
FROM runs
WHERE @part(chosen_runs)
  AND kind = 'step'
  AND step = {step:String}
  AND contact IN {contacts:Array(UInt64)}
GROUP BY contact

-- name: step_present
-- about: The runs that stand at a step now (parked ones when asked), latest arrival first, after a cursor.
SELECT
    @person(contact) AS contact,
    enrolment,
    toUnixTimestamp64Milli(at) AS at_ms,
    toUnixTimestamp64Milli(entered_at) AS entered_ms
FROM runs
WHERE @part(chosen_runs)
  AND kind = 'step'
  AND step = {step:String}
  AND (enrolment, visit) NOT IN (
      SELECT enrolment, visit - 1
      FROM runs
      WHERE account = {account:UInt32} AND journey = {journey:UInt64} AND kind = 'step'
        AND from_step = {step:String} AND load <= {load:UInt64}
  )
  AND enrolment NOT IN (
      SELECT enrolment
      FROM runs
      WHERE account = {account:UInt32} AND journey = {journey:UInt64} AND kind IN ('completed', 'exited')
        AND step = {step:String} AND load <= {load:UInt64}
  )
  AND (enrolment IN (
      SELECT enrolment
      FROM runs
      WHERE account = {account:UInt32} AND journey = {journey:UInt64} AND kind IN ('parked', 'resumed')
        AND step = {step:String} AND load <= {load:UInt64}
      GROUP BY enrolment
      HAVING sum(if(kind = 'parked', 1, -1)) > 0
  )) = ({parked:UInt8} = 1)
  AND ({after_at:Int64} = 0
       OR (at, enrolment) < (fromUnixTimestamp64Milli({after_at:Int64}), {after_enrolment:UInt64}))
ORDER BY at DESC, enrolment DESC
LIMIT {limit:UInt32}

-- name: journey_runs
-- about: The runs behind a figure of the journey, latest first: of one kind, with one reason when it is named.
SELECT
    @person(contact) AS contact,
    enrolment,
    reason,
    step,
    toUnixTimestamp64Milli(at) AS at_ms,
    toUnixTimestamp64Milli(entered_at) AS entered_ms
FROM runs
WHERE @part(chosen_runs)
  AND kind = {kind:String}
  AND ({reason:String} = '' OR reason = {reason:String})
  AND ({after_at:Int64} = 0
       OR (at, enrolment) < (fromUnixTimestamp64Milli({after_at:Int64}), {after_enrolment:UInt64}))
ORDER BY at DESC, enrolment DESC
LIMIT {limit:UInt32}

-- name: journey_standing
-- about: The runs that have not ended (state active) or are parked (state failed), latest entry first.
SELECT
    @person(contact) AS contact,
    enrolment,
    '' AS reason,
    argMaxIf(step, visit, kind = 'step') AS step,
    toUnixTimestamp64Milli(any(entered_at)) AS at_ms,
    toUnixTimestamp64Milli(any(entered_at)) AS entered_ms
FROM runs
WHERE @part(chosen_runs)
  AND kind != 'held_out'
GROUP BY contact, enrolment
HAVING countIf(kind IN ('completed', 'exited')) = 0
   AND (sum(multiIf(kind = 'parked', 1, kind = 'resumed', -1, 0)) > 0) = ({parked:UInt8} = 1)
   AND ({after_at:Int64} = 0 OR (at_ms, enrolment) < ({after_at:Int64}, {after_enrolment:UInt64}))
ORDER BY at_ms DESC, enrolment DESC
LIMIT {limit:UInt32}

-- name: journey_recent_moves
-- about: The latest passages, for the dots that cross the canvas.
SELECT @person(contact) AS contact, from_step, step, toUnixTimestamp64Milli(at) AS at_ms, load
FROM runs
WHERE account = {account:UInt32}
  AND journey = {journey:UInt64}
  AND kind = 'step'
  AND load > {after_load:UInt64}
  AND load <= {load:UInt64}
ORDER BY load DESC, visit DESC
LIMIT {limit:UInt32}
