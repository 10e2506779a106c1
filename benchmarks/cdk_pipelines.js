// A pipeline of CDK Pipelines with the stages of benchmarks/projects.py: PreProd, then waves of nine after an approval, a
// test step after each deployment. Each environment has one stack of FUNCTIONS functions, an asset each.
const cdk = require('aws-cdk-lib');
const lambda = require('aws-cdk-lib/aws-lambda');
const { CodePipeline, CodePipelineSource, ManualApprovalStep, ShellStep } = require('aws-cdk-lib/pipelines');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const [environments, functions] = [Number(process.env.ENVIRONMENTS), Number(process.env.FUNCTIONS)];
const region = 'us-east-1';
const code = fs.mkdtempSync(path.join(os.tmpdir(), 'functions-'));
for (let n = 0; n < functions; n++) {
  fs.mkdirSync(path.join(code, `${n}`));
  fs.writeFileSync(path.join(code, `${n}`, 'index.js'), `exports.handler = async () => ({ number: ${n} });\n`);
}

function stage(scope, n) {
  const made = new cdk.Stage(scope, n === 0 ? 'PreProd' : `Prod${String(n).padStart(3, '0')}`, {
    env: { account: `${222222222222 + n}`, region },
  });
  const stack = new cdk.Stack(made, 'Service');
  for (let f = 0; f < functions; f++) {
    new lambda.Function(stack, `Function${f}`, {
      runtime: lambda.Runtime.NODEJS_22_X,
      handler: 'index.handler',
      code: lambda.Code.fromAsset(path.join(code, `${f}`)),
    });
  }
  made.url = new cdk.CfnOutput(stack, 'Url', { value: 'https://example.com' });
  return made;
}

function test(made) {
  return new ShellStep(`Test-${made.node.id}`, {
    commands: ['curl -Ssf "$ENDPOINT_URL"'],
    envFromCfnOutputs: { ENDPOINT_URL: made.url },
  });
}

const app = new cdk.App({ outdir: process.env.OUT });
const root = new cdk.Stack(app, 'pipeline', { env: { account: '111111111111', region } });
const connectionArn = `arn:aws:codeconnections:${region}:111111111111:connection/5e6f7a8b-0000-4000-8000-000000000000`;
const pipeline = new CodePipeline(root, 'Pipeline', {
  crossAccountKeys: true,
  publishAssetsInParallel: process.env.PUBLISHER !== 'single',
  synth: new ShellStep('Synth', {
    input: CodePipelineSource.connection('example/app', 'main', { connectionArn }),
    commands: ['npm ci', 'npx cdk synth'],
  }),
});
const first = stage(root, 0);
pipeline.addStage(first, { post: [test(first)] });
for (let at = 1; at < environments; at += 9) {
  const wave = pipeline.addWave(`Wave${at}`, { pre: [new ManualApprovalStep(`Approve${at}`)] });
  for (let n = at; n < Math.min(at + 9, environments); n++) {
    const made = stage(root, n);
    wave.addStage(made, { post: [test(made)] });
  }
}
app.synth();
fs.rmSync(code, { recursive: true });
