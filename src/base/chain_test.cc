#include "base/chain.h"

#include <gtest/gtest.h>

#include <string>

#include "base/random.h"

namespace moldau {
namespace {

std::string text_of(const Chain& chain) {
  std::vector<uint8_t> bytes = chain.flatten();
  return {bytes.begin(), bytes.end()};
}

void put(Chain& chain, std::string_view text) {
  std::memcpy(chain.extend(text.size()).data(), text.data(), text.size());
}

TEST(Chain, JoinsSmallWritesInOnePiece) {
  Chain chain;
  put(chain, "ab");
  chain.append(as_bytes("cd"));
  chain.append(Bytes());
  put(chain, "e");
  EXPECT_EQ(chain.size(), 5u);
  EXPECT_EQ(text_of(chain), "abcde");
  std::vector<Chain::Piece> pieces = chain.take();
  ASSERT_EQ(pieces.size(), 1u);
  EXPECT_EQ(as_text(pieces[0].bytes.bytes()), "abcde");
  EXPECT_EQ(pieces[0].length, 5u);
}

TEST(Chain, KeepsSharedPiecesAndFileRangesInOrder) {
  SharedBytes records = SharedBytes::copy_of(as_bytes("records"));
  Chain chain;
  put(chain, "head");
  chain.append(records.slice(0, 3));
  chain.append(SharedBytes());
  chain.append_file(2, 1000, 50);
  chain.append_file(2, 0, 0);
  put(chain, "tail");
  EXPECT_EQ(chain.size(), 4u + 3 + 50 + 4);
  std::vector<Chain::Piece> pieces = chain.take();
  ASSERT_EQ(pieces.size(), 4u);
  EXPECT_EQ(as_text(pieces[0].bytes.bytes()), "head");
  EXPECT_EQ(pieces[1].bytes.data(), records.data());  // not copied
  EXPECT_EQ(pieces[1].file, -1);
  EXPECT_EQ(pieces[2].file, 2);
  EXPECT_EQ(pieces[2].position, 1000);
  EXPECT_EQ(pieces[2].length, 50u);
  EXPECT_EQ(as_text(pieces[3].bytes.bytes()), "tail");
  EXPECT_EQ(pieces[3].bytes.data(), pieces[0].bytes.data() + 4);  // both in one block
}

TEST(Chain, PiecesOutliveTheChain) {
  std::vector<Chain::Piece> pieces;
  {
    Chain chain;
    put(chain, "kept");
    pieces = chain.take();
    EXPECT_EQ(chain.size(), 0u);
    EXPECT_TRUE(chain.take().empty());
    put(chain, "next");  // in a block of its own
    EXPECT_EQ(text_of(chain), "next");
  }
  EXPECT_EQ(as_text(pieces[0].bytes.bytes()), "kept");
}

TEST(Chain, EqualsAStringOverRandomWrites) {
  Random random(9);
  for (int round = 0; round < 20; round++) {
    Chain chain;
    std::string model;
    for (int i = 0; i < 40; i++) {
      std::string part(random.below(random.one_in(10) ? 100'000 : 700),
                       static_cast<char>('a' + random.below(26)));
      model += part;
      if (random.one_in(3)) {
        chain.append(SharedBytes::copy_of(as_bytes(part)));
      } else {
        put(chain, part);
      }
      ASSERT_EQ(chain.size(), model.size());
    }
    ASSERT_EQ(text_of(chain), model);
    size_t total = 0;
    for (const Chain::Piece& piece : chain.take()) {
      ASSERT_EQ(as_text(piece.bytes.bytes()), std::string_view(model).substr(total, piece.length));
      total += piece.length;
    }
    ASSERT_EQ(total, model.size());
  }
}

TEST(ChainDeathTest, HasNoBytesOfAFile) {
  Chain chain;
  chain.append_file(0, 0, 1);
  EXPECT_DEATH(chain.flatten(), "cannot be flattened");
}

}  // namespace
}  // namespace moldau
