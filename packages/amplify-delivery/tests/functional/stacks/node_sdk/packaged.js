// A program in JavaScript, run inside its own process by the Automation API: it deploys a backend, lets a pipeline into
// an account for another environment, updates the backend, tries to lose a table, and takes both away.
"use strict";

const pulumi = require("@pulumi/pulumi");
const { LocalWorkspace } = require("@pulumi/pulumi/automation");

const { ACCOUNT, ARGS, NEXT, PLUGIN } = process.env;

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

const of = (args) => async () => {
  const account = new TargetAccount("account", JSON.parse(ACCOUNT));
  const backend = new AmplifyBackend("backend", JSON.parse(args));
  return { stackName: backend.stackName, graphqlEndpoint: backend.graphqlEndpoint, version: account.version };
};

async function main() {
  const plugins = { providers: [{ name: "amplify-delivery", path: PLUGIN }] };
  const stack = await LocalWorkspace.createOrSelectStack(
    { stackName: "dev", projectName: "small", program: of(ARGS) },
    { workDir: process.cwd(), projectSettings: { name: "small", runtime: "nodejs", plugins } },
  );
  const made = await stack.up();
  const again = await stack.up();
  const next = await stack.up({ program: of(NEXT) });
  const refused = await stack.up({ program: of(ARGS) }).then(() => "", String);
  await stack.destroy();
  const values = Object.fromEntries(Object.entries(made.outputs).map(([name, { value }]) => [name, value]));
  const changes = [again, next].map((up) => up.summary.resourceChanges);
  console.log(JSON.stringify({ outputs: values, changes, refused }));
}

main().catch((error) => {
  console.error(String(error));
  process.exit(1);
});
