-- The contacts as they were at a watermark: profiles_at(account = …, load = …).
CREATE VIEW IF NOT EXISTS profiles_at AS
SELECT * FROM profiles
WHERE account = {account:UInt32} AND load <= {load:UInt64}
ORDER BY contact, load DESC
LIMIT 1 BY contact;

-- Which contact each visitor (and each contact merged away) was at a watermark: links_at(account = …, load = …).
CREATE VIEW IF NOT EXISTS links_at AS
SELECT visitor, merged, argMax(contact, load) AS contact
FROM links
WHERE account = {account:UInt32} AND load <= {load:UInt64}
GROUP BY visitor, merged;
