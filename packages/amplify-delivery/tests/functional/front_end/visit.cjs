// A visit with Amplify's library, configured by the file that is named, at the Cognito that is named:
// a guest lists, a user signs in, writes and lists. Prints what each step was answered.
const dns = require('node:dns');
const { readFileSync } = require('node:fs');

// Browsers and curl know that a name below .localhost is this machine (RFC 6761); this machine's resolver may not.
const { lookup } = dns;
dns.lookup = (host, ...rest) => lookup(String(host).endsWith('.localhost') ? '127.0.0.1' : host, ...rest);

const { generateClient } = require('@aws-amplify/api');
const { fetchAuthSession, signIn } = require('@aws-amplify/auth');
const { cognitoCredentialsProvider, cognitoUserPoolsTokenProvider } = require('@aws-amplify/auth/cognito');
const { Amplify } = require('@aws-amplify/core');
const { parseAmplifyConfig } = require('@aws-amplify/core/internals/utils');

const [file, here, username, password] = process.argv.slice(2);
const settings = parseAmplifyConfig(JSON.parse(readFileSync(file, 'utf8')));
Object.assign(settings.Auth.Cognito, { userPoolEndpoint: here, identityPoolEndpoint: here });
// The package aws-amplify, which is these three and more, does this inside its own `Amplify.configure(settings)`.
cognitoUserPoolsTokenProvider.setAuthConfig(settings.Auth);
Amplify.configure(settings, {
  Auth: { tokenProvider: cognitoUserPoolsTokenProvider, credentialsProvider: cognitoCredentialsProvider },
});

const client = generateClient();
const list = { query: 'query { listTodos { items { name owner } } }' };
const create = { query: 'mutation { createTodo(input: { name: "Milk" }) { name owner } }' };

(async () => {
  const told = {};
  await client.graphql({ ...list, authMode: 'apiKey' }).catch((refused) => (told.guest = refused.errors[0].message));
  told.signedIn = (await signIn({ username, password })).isSignedIn;
  const session = await fetchAuthSession();
  told.credentials = session.credentials !== undefined;
  told.sub = session.userSub;
  told.written = (await client.graphql({ ...create, authMode: 'userPool' })).data.createTodo;
  told.listed = (await client.graphql({ ...list, authMode: 'userPool' })).data.listTodos.items;
  process.stdout.write(JSON.stringify(told));
})();
