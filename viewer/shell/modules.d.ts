declare module 'virtual:icons.css';
declare module '@fontsource-variable/inter/wght.css';
declare module '@alpinejs/csp' {
  const Alpine: { start(): void; data(name: string, make: (...values: unknown[]) => object): void };
  export default Alpine;
}
