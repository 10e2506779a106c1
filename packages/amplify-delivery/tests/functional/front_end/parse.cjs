// Reads configurations from the file that is named, [[...], ...], and prints what Amplify's library makes of each.
const { readFileSync } = require('node:fs');
const { parseAmplifyConfig } = require('@aws-amplify/core/internals/utils');

const read = JSON.parse(readFileSync(process.argv[2], 'utf8'));
process.stdout.write(JSON.stringify(read.map((both) => both.map(parseAmplifyConfig))));
