// Runs lines of a page of the documentation, and prints how the library is configured after each block.
const { readFileSync } = require('node:fs');
const { Amplify } = require('@aws-amplify/core');

const { blocks, config, outputs, origin } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const recorded = [];
const found = blocks.map((block) => {
  Amplify.configure(config);
  const lines = block.replace(/^import .*$/gm, '');
  const names = ['Amplify', 'config', 'outputs', 'record', 'window'];
  new Function(...names, lines)(Amplify, config, outputs, (one) => recorded.push(one), { location: { origin } });
  return Amplify.getConfig();
});
process.stdout.write(JSON.stringify({ found, recorded }));
