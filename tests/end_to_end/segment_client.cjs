// Sends one call of each kind with Segment's own client for Node.
const { Analytics } = require("@segment/analytics-node");

const [host, writeKey] = process.argv.slice(2);
const analytics = new Analytics({ host, writeKey, flushAt: 3, flushInterval: 50 });
analytics.on("error", (error) => {
  console.error(error);
  process.exitCode = 1;
});

(async () => {
  analytics.page({ anonymousId: "node-browser", name: "Home", properties: { url: "https://shop.example/home" } });
  analytics.identify({
    userId: "node-user",
    anonymousId: "node-browser",
    traits: { email: "node@example.org", firstName: "Nora", plan: "pro", points: 3 },
  });
  analytics.track({ userId: "node-user", event: "Order Completed", properties: { order_id: "n-1", total: 19.99 } });
  analytics.track({ userId: "node-user", event: "Tried", properties: { deep: { list: [1, "two"] } } });
  analytics.screen({ userId: "node-user", name: "Basket" });
  analytics.group({ userId: "node-user", groupId: "g-1", traits: { size: 3 } });
  analytics.alias({ previousId: "node-phone", userId: "node-user" });
  await analytics.closeAndFlush({ timeout: 10000 });
})();
