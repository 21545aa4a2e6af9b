// Every rule for a schema, and every one for Relay; what is said otherwise here says why.
import graphql from "@graphql-eslint/eslint-plugin";

const { configs } = graphql;

export default [
  {
    files: ["schema/schema.graphql"],
    languageOptions: {
      parser: graphql.parser,
      parserOptions: {
        graphQLConfig: { schema: ["schema/schema.graphql", "tests/conformance/lint/federation.graphql"] },
      },
    },
    plugins: { "@graphql-eslint": graphql },
    rules: {
      ...configs["flat/schema-all"].rules,
      ...configs["flat/schema-relay"].rules,
      // The file is printed in the order of its names already, capitals before small letters.
      "@graphql-eslint/alphabetize": "off",
      // A deprecation names its day in its reason: `@deprecated` takes no other argument.
      "@graphql-eslint/require-deprecation-date": "off",
      // There are mutations; the rule is for schemas that shall have none.
      "@graphql-eslint/no-root-type": "off",
      // Connections are paged forward: nobody reads a register backward.
      "@graphql-eslint/relay-arguments": ["error", { includeBoth: false }],
      // A short list is a list, and an entry of a log cannot be asked for by itself.
      "@graphql-eslint/relay-edge-types": [
        "error",
        { listTypeCanWrapOnlyEdgeType: false, shouldImplementNode: false },
      ],
      // Most types are values, told with what has them; what is asked for by itself is a Node.
      "@graphql-eslint/strict-id-in-types": "off",
    },
  },
];
