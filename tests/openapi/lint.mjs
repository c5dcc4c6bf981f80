// Holds an OpenAPI document against all that Redocly knows of them, and prints what it finds as JSON.
import { createConfig, lint } from "@redocly/openapi-core";

const rules = {
  // A generated server has no other address.
  "no-server-example.com": "off",
  // The pages of the service, such as /health, refuse nothing; of the tasks, other tests know the statuses.
  "operation-4xx-response": "off",
  // It looks for required members in the schema that requires them, and not in the one that this is a part of.
  "no-required-schema-properties-undefined": "off",
};
const config = await createConfig({ extends: ["recommended-strict"], rules });
const found = await lint({ ref: process.argv[1], config });
const told = found.map(({ ruleId, severity, message, location }) => ({
  rule: ruleId, severity, message, at: location[0]?.pointer,
}));
console.log(JSON.stringify(told));
