// Shows the OpenAPI document of this server. The other files here are from swagger-ui-dist 5.35.0
// (npm, Apache-2.0), as its authors publish it.

const answer = await fetch("openapi.json");
const spec = await answer.json();
document.title = `${spec.info.title} ${spec.info.version}`;
// The document names the server of its examples; what is tried out here goes to the one that sent this page.
spec.servers = [{ url: new URL(".", location.href).href.replace(/\/$/, ""), description: "this server" }];
// Plain JSON Schema 2020-12, as the document declares, is read right, but Swagger UI warns of any declaration.
delete spec.jsonSchemaDialect;

window.ui = window.SwaggerUIBundle({
  spec,
  domNode: document.getElementById("swagger-ui"),
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  tryItOutEnabled: true,
  validatorUrl: "none",
});
