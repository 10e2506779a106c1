// A program in JavaScript, run inside its own process by the Automation API: it deploys a backend, lets a pipeline into
// an account for another environment, and takes both away.
"use strict";

const pulumi = require("@pulumi/pulumi");
const { LocalWorkspace } = require("@pulumi/pulumi/automation");

const { ACCOUNT, ARGS, PLUGIN } = process.env;

class AmplifyBackend extends pulumi.ComponentResource {
  constructor(name, args, opts) {
    const outputs = { stackName: undefined, graphqlEndpoint: undefined, nestedOutputs: undefined };
    super("amplify-delivery:index:AmplifyBackend", name, { ...outputs, ...args }, opts, true);
  }
}

class TargetAccount extends pulumi.ComponentResource {
  constructor(name, args, opts) {
    super("amplify-delivery:index:TargetAccount", name, { version: undefined, ...args }, opts, true);
  }
}

async function program() {
  const account = new TargetAccount("account", JSON.parse(ACCOUNT));
  const backend = new AmplifyBackend("backend", JSON.parse(ARGS));
  return { stackName: backend.stackName, graphqlEndpoint: backend.graphqlEndpoint, version: account.version };
}

async function main() {
  const plugins = { providers: [{ name: "amplify-delivery", path: PLUGIN }] };
  const stack = await LocalWorkspace.createOrSelectStack(
    { stackName: "dev", projectName: "small", program },
    { workDir: process.cwd(), projectSettings: { name: "small", runtime: "nodejs", plugins } },
  );
  const made = await stack.up();
  const again = await stack.up();
  await stack.destroy();
  const values = Object.fromEntries(Object.entries(made.outputs).map(([name, { value }]) => [name, value]));
  console.log(JSON.stringify({ outputs: values, changes: again.summary.resourceChanges }));
}

main().catch((error) => {
  console.error(String(error));
  process.exit(1);
});
