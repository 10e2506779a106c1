// An example of a front end: it lists what every model of the API holds. Replace it by yours.
//
// `amplify-delivery client-config ENV --out web/src` writes what it is configured with; so does the step FrontEnd of the
// pipeline. An app with Amplify's library calls `Amplify.configure(config)` with the same object.
const main = document.querySelector("main");
let config;

/** Whom the API lets in beside its key, by the default that the configuration names. */
const WHO = {
  AMAZON_COGNITO_USER_POOLS: "a user who has signed in",
  AWS_IAM: "a request that is signed with a role of the identity pool",
  OPENID_CONNECT: "a token of your identity provider",
  AWS_LAMBDA: "what your authorizer takes",
};

/** What to do about something that the API has refused: this page cannot sign in. */
function advice() {
  const { aws_appsync_apiKey: key, aws_appsync_authenticationType: type } = config;
  const asked = key ? "with the API's key alone" : "without a key: the API has none";
  const who = WHO[type] ? `The API's default is ${type}, ${WHO[type]}.` : "Its @auth rules ask for more than that.";
  return (
    `This page asks ${asked}. ${who} An app signs in with Amplify's library, configured with this page's ` +
    "src/aws-exports.js: `amplify-delivery docs front-end` tells how."
  );
}

/** The data of one operation, asked with the API's key; what the API refuses is an error. */
async function ask(query) {
  const answer = await fetch(config.aws_appsync_graphqlEndpoint, {
    method: "POST",
    headers: { "content-type": "application/json", "x-api-key": config.aws_appsync_apiKey ?? "" },
    body: JSON.stringify({ query }),
  });
  const { data, errors } = await answer.json();
  if (errors) {
    const refused = errors.some((error) => error.errorType?.startsWith("Unauthorized"));
    throw Object.assign(new Error(errors.map((error) => error.message).join("; ")), { refused });
  }
  return data;
}

/** The lists that the API has, each with the fields of an item that are no objects. */
async function lists() {
  const kind = "name kind ofType { name kind ofType { name kind } }";
  const fields = `fields { name args { name } type { ${kind} } }`;
  const { __schema: schema } = await ask(`{ __schema { queryType { ${fields} } types { name ${fields} } } }`);
  const types = new Map(schema.types.map((type) => [type.name, type]));
  const named = (type) => (type.ofType ? named(type.ofType) : type);
  return schema.queryType.fields
    .filter((query) => query.name.startsWith("list") && named(query.type).name?.endsWith("Connection"))
    .map((query) => {
      const items = types.get(named(query.type).name).fields.find((field) => field.name === "items");
      const model = types.get(named(items.type).name);
      return {
        query: query.name,
        fields: model.fields.filter((field) => named(field.type).kind !== "OBJECT").map((field) => field.name),
      };
    });
}

function element(name, text = "", ...children) {
  const made = document.createElement(name);
  made.textContent = text;
  made.append(...children);
  return made;
}

/** An error as the page shows it, with what to do where the API has refused to answer. */
function shown({ message, refused }) {
  return [element("p", message), ...(refused ? [element("p", advice())] : [])];
}

/** One list as a table; what may not be read says so. */
async function table({ query, fields }) {
  const section = element("section", "", element("h2", query));
  try {
    const { items } = (await ask(`{ ${query}(limit: 100) { items { ${fields.join(" ")} } } }`))[query];
    const row = (kind, values) => element("tr", "", ...values.map((value) => element(kind, `${value ?? ""}`)));
    const rows = items.map((item) => row("td", fields.map((field) => item[field])));
    section.append(
      items.length
        ? element("table", "", element("thead", "", row("th", fields)), element("tbody", "", ...rows))
        : element("p", "No items."),
    );
  } catch (error) {
    section.append(...shown(error));
  }
  return section;
}

try {
  ({ default: config } = await import("./src/aws-exports.js").catch(() => {
    throw new Error("web/src/aws-exports.js is missing: amplify-delivery client-config ENV --out web/src");
  }));
  main.replaceChildren(...(await Promise.all((await lists()).map(table))));
} catch (error) {
  main.replaceChildren(...shown(error));
}
main.setAttribute("aria-busy", "false");
