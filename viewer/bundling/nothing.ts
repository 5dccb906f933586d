/** Stands in for Node's own modules, which no browser path uses. */
export default {};
