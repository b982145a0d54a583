// The only main().

int main() {
  return 0;
}
