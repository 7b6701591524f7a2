// X1
test('opens', () => {
  open('http://X99'); // X14
});
