// An example of a front end: it lists what every model of the API holds. Replace it by yours.
//
// `amplify-delivery client-config ENV --out web/src` writes what it is configured with; so does the step FrontEnd of the
// pipeline. An app with Amplify's library calls `Amplify.configure(config)` with the same object.
const main = document.querySelector("main");
let config;

/** The data of one operation, asked with the API's key; what the API refuses is an error. */
async function ask(query) {
  const answer = await fetch(config.aws_appsync_graphqlEndpoint, {
    method: "POST",
    headers: { "content-type": "application/json", "x-api-key": config.aws_appsync_apiKey ?? "" },
    body: JSON.stringify({ query }),
  });
  const { data, errors } = await answer.json();
  if (errors) throw new Error(errors.map((error) => error.message).join("; "));
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
    section.append(element("p", error.message));
  }
  return section;
}

try {
  ({ default: config } = await import("./src/aws-exports.js").catch(() => {
    throw new Error("web/src/aws-exports.js is missing: amplify-delivery client-config ENV --out web/src");
  }));
  main.replaceChildren(...(await Promise.all((await lists()).map(table))));
} catch (error) {
  main.replaceChildren(element("p", error.message));
}
main.setAttribute("aria-busy", "false");
